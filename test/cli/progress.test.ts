import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { progressLines } from '../../src/cli/progress.js';
import { createScreen } from '../../src/cli/screen.js';
import { aCapsule, aRecording, START } from '../domain/aRecording.js';

function entry(path: string, over: Parameters<typeof aRecording>[0] = {}) {
  return { id: over.id ?? '1a2b3c4d', recording: aRecording(over), path, rev: 1, updatedAt: START };
}

describe('progress on a terminal', () => {
  it('shows what records, how far it is, and what comes', () => {
    const capsule = aCapsule({ title: 'Evening News' });
    const window = {
      startAt: START + 3_600_000,
      stopAt: START + 7_200_000,
      prePaddingMs: 0,
      postPaddingMs: 0,
    };
    const lines = progressLines({
      entries: [
        entry('spooling.open', { bytes: 1_500_000_000 }),
        entry('retrying.backingOff', {
          id: '2',
          lastFault: { cause: 'reset', code: 'upstream_reset', at: START },
        }),
        entry('scheduled.early', { id: '3', capsule, window }),
        entry('published', { id: '4' }),
      ],
      now: START + 300_000,
      columns: 110,
      address: 'http://127.0.0.1:8998',
    });
    expect(lines[1]).toMatch(/^● Man Utd vs City · BBC One +█{6}░{6} {2}50 % {3}1\.5 GB .* 5 min left$/);
    expect(lines[2]).toMatch(/^↻ .* reset$/);
    expect(lines[3]).toMatch(/^2 recording, 1 planned, next Evening News at \d\d:\d\d {2}http/);
  });

  it('breaks no line and lets no title steer the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 20, max: 200 }), (title, columns) => {
        const capsule = aCapsule({ title: `\u001b[2J${title}\n` });
        const lines = progressLines({
          entries: [entry('spooling.open', { capsule }), entry('scheduled.early', { capsule })],
          now: START,
          columns,
          address: null,
        });
        for (const line of lines) {
          expect([...line].length).toBeLessThanOrEqual(columns);
          expect(line).not.toMatch(/\p{Cc}/u);
        }
      }),
    );
  });

  it('takes away what it drew on a terminal that has become narrower', () => {
    let text = '';
    const terminal = { columns: 10, write: (more: string) => (text += more) };
    const screen = createScreen(terminal);
    screen.show(['0123456789', 'ab', '']);
    terminal.columns = 4;
    text = '';
    screen.show(['c']);
    expect(text).toBe('\r\u001b[5A\u001b[Jc\n');
  });

  it('stays below the log, and is gone at the end', () => {
    let text = '';
    const screen = createScreen({ write: (more) => (text += more) });
    screen.write('first\n');
    expect(text).toBe('first\n');
    screen.show(['a', 'b']);
    text = '';
    screen.write('second\n');
    expect(text).toBe('\r\u001b[2A\u001b[Jsecond\na\nb\n');
    text = '';
    screen.show(['c']);
    expect(text).toBe('\r\u001b[2A\u001b[Jc\n');
    text = '';
    screen.clear();
    screen.clear();
    expect(text).toBe('\r\u001b[1A\u001b[J');
  });
});

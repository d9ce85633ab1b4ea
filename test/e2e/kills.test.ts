/**
 * SIGKILL at named places and at random, in every stage of a recording, to real processes: afterwards one file holds
 * everything that was flushed, the ledger has the holes, and no state file needs a hand. P1, P2, P4, P7, P9.
 * A short form of it runs always; see docs/contributing.md for the long one.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeJournal, encodeLine } from '../../src/store/journalLine.js';
import { decode } from '../media/frames.js';
import {
  channel,
  CLIP_FRAMES,
  filesUnder,
  json,
  nothingYet,
  openScene,
  programme,
  soon,
  until,
} from './scene.js';

const PACKET = 188;
const FPS = 25;
/** One kill a stage; where CATCHUPD_KILLS=N is given at least three of each, and N at random besides. Minutes then. */
const MORE = Number(process.env['CATCHUPD_KILLS'] ?? 0);
const LONG_MS = MORE > 0 ? 900_000 : 240_000;

interface Kills {
  readonly capturing: readonly string[];
  /** With a journal that has grown so long that it is made into a new state. */
  readonly compacting: readonly string[];
  /** While the connection is broken. */
  readonly retrying: number;
  /** Each finds the work of the one before it half done. */
  readonly ending: readonly string[];
}

const FEW: Kills = {
  capturing: ['spool_written:2', 'journal_synced:3'],
  compacting: ['base_before_rename'],
  retrying: 1,
  ending: ['nfo_written', 'media_linked'],
};
const MANY: Kills = {
  capturing: [
    'spool_opened',
    'spool_before_write:2',
    'spool_written:2',
    'spool_synced',
    'journal_before_write:2',
    'journal_written:3',
    'journal_synced:4',
  ],
  compacting: ['base_before_rename', 'base_renamed', 'journal_begun', 'journal_moved'],
  retrying: 3 + MORE,
  ending: [
    'ledger_before_link',
    'ledger_linked',
    'nfo_written',
    'media_before_link',
    'media_linked',
    'spool_removed',
  ],
};
const KILLS = MORE > 0 ? MANY : FEW;
const COMPACT_BYTES = 8 * 2 ** 20;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** One more line, so long that the next one makes a new state of all. */
function growJournal(path: string): void {
  const { lines } = decodeJournal(readFileSync(path));
  const pad = JSON.stringify({ hosts: { pad: 'x'.repeat(COMPACT_BYTES) } });
  appendFileSync(path, encodeLine((lines.at(-1)?.r ?? 0) + 1, pad));
}

describe('a daemon that is killed', () => {
  it(
    'anywhere in spooling, retrying, finalizing, publishing and the journal, leaves one file that holds everything',
    async ({ onTestFinished }) => {
      const scene = openScene(onTestFinished);
      const provider = await scene.provider({
        channels: [channel('one', { clip: { gop: 5 } })],
        programmes: nothingYet('one.tv'),
      });
      const words = ['--m3u', provider.m3uUrl];
      const at = (failpoint: string) => scene.daemon(words, { env: { CATCHUPD_FAILPOINT: failpoint } });
      const spoolPath = () => {
        const name = filesUnder(scene.outDir).find((path) => path.endsWith('.partial.ts'));
        return name === undefined ? null : join(scene.outDir, name);
      };
      const kept: { readonly bytes: number; readonly sha: string }[] = [];
      const keep = () => {
        const path = spoolPath();
        if (path === null) return;
        const found = readFileSync(path);
        const whole = found.subarray(0, found.length - (found.length % PACKET));
        // P1: what an earlier life left is where it was.
        const last = kept.at(-1);
        if (last) expect(sha256(whole.subarray(0, last.bytes))).toBe(last.sha);
        kept.push({ bytes: whole.length, sha: sha256(whole) });
      };
      const dies = async (failpoint: string) => {
        const daemon = at(failpoint);
        expect([failpoint, (await daemon.exited).signal]).toEqual([failpoint, 'SIGKILL']);
        keep();
      };

      // The base of a state that is new, before and after it has its name.
      await dies('base_before_rename');
      await dies('base_renamed');
      const first = scene.daemon(words);
      const startedAt = performance.now();
      await first.ready();
      // A start takes long on a machine that is busy; whatever does not fit into the programme any more is left out.
      const killMs = 1.5 * (performance.now() - startedAt) + 1_500;
      const now = soon();
      const kills = KILLS.capturing.length + KILLS.compacting.length + KILLS.retrying;
      const seconds = Math.ceil(((kills + 2) * killMs) / 1000);
      await provider.setProgrammes([programme('one.tv', 'Long Match', now - 1_000, seconds)]);
      const isOver = () => Date.now() > now + seconds * 1000 - 2 * killMs;
      await until('it is captured', () => {
        const path = spoolPath();
        return path !== null && statSync(path).size > 300 * PACKET;
      });
      first.signal('SIGKILL');
      await first.exited;
      keep();
      for (const failpoint of KILLS.capturing) if (!isOver()) await dies(failpoint);
      for (const failpoint of KILLS.compacting) {
        if (isOver()) continue;
        growJournal(join(scene.outDir, 'recorder-state.journal.ndjson'));
        await dies(failpoint);
      }
      for (let kill = 0; kill < KILLS.retrying && !isOver(); kill += 1) {
        const daemon = scene.daemon(words);
        const before = statSync(spoolPath() ?? '').size;
        // The connection breaks, so that it may be caught while it retries.
        await until('it goes on', () => statSync(spoolPath() ?? '').size > before);
        await provider.cut('one');
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 400));
        daemon.signal('SIGKILL');
        await daemon.exited;
        keep();
      }
      for (const failpoint of KILLS.ending) {
        const daemon = at(failpoint);
        const ended = await Promise.race([
          daemon.exited,
          until('', () => null, LONG_MS / 2).catch(() => null),
        ]);
        expect([failpoint, ended?.signal]).toEqual([failpoint, 'SIGKILL']);
        // P9: never media before what belongs to it.
        const there = filesUnder(scene.publishDir);
        if (there.some((path) => path.endsWith('.ts')))
          expect(there.some((path) => path.endsWith('.nfo'))).toBe(true);
      }

      const last = scene.daemon(words);
      const report = await last.sees('it is published', ({ completed }) => completed.length === 1);
      expect(report.completed[0]).toMatchObject({ recovery_reason: 'daemon_restart' });
      expect(report.failed).toEqual([]);
      const media = filesUnder(scene.publishDir).filter((path) => path.endsWith('.ts'));
      expect(media).toHaveLength(1);
      expect(filesUnder(scene.outDir).filter((path) => path.endsWith('.ts'))).toEqual([]);
      expect(filesUnder(join(scene.outDir, '.catchupd', 'quarantine'))).toEqual([]);
      const path = join(scene.publishDir, media[0] ?? '');
      const whole = readFileSync(path);
      for (const { bytes, sha } of kept) expect(sha256(whole.subarray(0, bytes))).toBe(sha);

      // Every hole is in the ledger at its length, as far as a clip that repeats can tell.
      const ledger = json(path.replace(/\.ts$/, '.catchupd.json')) as {
        gaps: { cause: string; seconds: number }[];
      };
      const { frames, errors } = await decode(path);
      // Two pictures in the time of one, where a joint could only be guessed, are no damage.
      expect(errors.filter((line) => !line.includes('[rawvideo'))).toEqual([]);
      const missing = frames.flatMap((frame, index) => {
        const step = index === 0 ? 1 : (frame - (frames[index - 1] ?? 0) + CLIP_FRAMES) % CLIP_FRAMES;
        return step === 1 ? [] : [(step - 1) / FPS];
      });
      const inside = ledger.gaps.filter(
        ({ cause }) => cause === 'restart' || cause === 'reset' || cause === 'eof',
      );
      for (const hole of missing) {
        const nearest = Math.min(
          ...inside.map(({ seconds: told }) => {
            const off = Math.abs((told % (CLIP_FRAMES / FPS)) - hole);
            return Math.min(off, CLIP_FRAMES / FPS - off);
          }),
        );
        expect(nearest).toBeLessThan(0.2);
      }
      await last.stop();
    },
    LONG_MS,
  );
});

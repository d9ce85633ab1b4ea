/** What a stop, a kill and a start in the middle of a recording leave: one file, and every byte that was there. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decode } from '../media/frames.js';
import {
  channel,
  CLIP_FRAMES,
  filesUnder,
  json,
  nothingYet,
  openScene,
  programme,
  said,
  soon,
  until,
  type Daemon,
  type Report,
  type Scene,
} from './scene.js';

const PACKET = 188;
const END_MS_MAX = 8_000;
/** Longer than any programme here, also on a machine that is busy. */
const PATIENCE_MS = 150_000;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Of a programme that lasts `seconds`, and as long besides as the next starts will take on a machine that is busy. */
async function recording(scene: Scene, seconds: number) {
  // Key frames so close that nothing is sent twice to somebody who was away for a moment.
  const provider = await scene.provider({
    channels: [channel('one', { clip: { gop: 5 } })],
    programmes: nothingYet('one.tv'),
  });
  const words = ['--m3u', provider.m3uUrl];
  const startedAt = performance.now();
  const daemon = scene.daemon(words);
  await daemon.ready();
  const lasts = seconds + Math.ceil((2 * (performance.now() - startedAt)) / 1_000);
  const now = soon();
  await provider.setProgrammes([
    programme('one.tv', 'Long Match', now - 1_000, lasts, { categories: ['Sport'] }),
  ]);
  const spool = await until('some of it is on disk', () => {
    const name = filesUnder(scene.outDir).find((path) => path.endsWith('.partial.ts'));
    const path = join(scene.outDir, name ?? '.');
    return name !== undefined && statSync(path).size > PACKET * 300 && path;
  });
  return { words, daemon, spool, provider, endsAt: now - 1_000 + lasts * 1_000 };
}

/** The second life: everything of the first is in one file, and the ledger tells of the hole. */
async function expectOneFile(scene: Scene, daemon: Daemon, before: Buffer): Promise<void> {
  const report = await daemon.sees('it is published', ({ completed }) => completed.length === 1, PATIENCE_MS);
  const [item] = report.completed;
  expect(report.active).toEqual([]);
  expect(report.failed).toEqual([]);
  expect(item).toMatchObject({
    recovery_reason: 'daemon_restart',
    recovered_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    sources: [expect.stringMatching(/^m3u-/)] as string[],
  });
  const media = filesUnder(scene.publishDir).filter((path) => path.endsWith('.ts'));
  expect(media).toHaveLength(1);
  expect(filesUnder(scene.outDir).filter((path) => path.endsWith('.ts'))).toEqual([]);
  const path = join(scene.publishDir, media[0] ?? '');
  const whole = readFileSync(path);
  expect(whole.length).toBeGreaterThan(before.length);
  expect(sha256(whole.subarray(0, before.length))).toBe(sha256(before));
  const ledger = json(path.replace(/\.ts$/, '.catchupd.json')) as {
    gaps: { cause: string; seconds: number }[];
    stretches: { bytes: number; first_offset: number }[];
    joins: { kind: string }[];
  };
  expect(ledger.gaps.map(({ cause }) => cause)).toContain('restart');
  expect(ledger.joins.map(({ kind }) => kind)).toEqual(['restart']);
  expect(ledger.stretches.map(({ first_offset }) => first_offset)).toEqual([0, before.length]);
  const { frames, errors } = await decode(path);
  expect(errors).toEqual([]);
  const breaks = frames.filter((frame, i) => i > 0 && frame !== ((frames[i - 1] ?? 0) + 1) % CLIP_FRAMES);
  expect(breaks).toHaveLength(1);
}

describe.concurrent('a daemon that ends in the middle of a recording', { timeout: 240_000 }, () => {
  it('goes on after SIGTERM with the bytes it had', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const { words, daemon, spool } = await recording(scene, 17);
    const exit = await daemon.stop();
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.ms).toBeLessThan(END_MS_MAX);
    const before = readFileSync(spool);
    expect(before.length % PACKET).toBe(0);
    const again = scene.daemon(words);
    await expectOneFile(scene, again, before);
    // Without its state, the same once more.
    const places = ['--out-dir', scene.outDir, '--publish-dir', scene.publishDir];
    expect((await scene.ask(['rebuild', ...places])).code).toBe(1);
    await again.stop();
    const first = await scene.ask(['report', '--out-dir', scene.outDir]);
    for (const name of filesUnder(scene.outDir))
      if (name.startsWith('recorder-state')) rmSync(join(scene.outDir, name));
    const rebuilt = await scene.ask(['rebuild', ...places, '--json']);
    expect(rebuilt.code).toBe(0);
    expect(JSON.parse(rebuilt.stdout)).toMatchObject({
      rebuilt: 1,
      recordings: [{ title: 'Long Match', lane: 'sports', machine_state: 'published' }],
    });
    const second = await scene.ask(['report', '--out-dir', scene.outDir]);
    expect((JSON.parse(second.stdout) as Report).completed).toEqual(
      (JSON.parse(first.stdout) as Report).completed,
    );
    expect(await scene.ask(['rebuild', ...places])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('0 rebuilt') as string,
    });
  });

  it('goes on after SIGKILL with what was flushed', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const { words, daemon, spool } = await recording(scene, 17);
    daemon.signal('SIGKILL');
    expect(await daemon.exited).toEqual({ code: null, signal: 'SIGKILL' });
    const found = readFileSync(spool);
    const before = found.subarray(0, found.length - (found.length % PACKET));
    await expectOneFile(scene, scene.daemon(words), before);
    // Beside the daemon, without its lock.
    const told = await scene.ask([
      'replay',
      '--state-file',
      join(scene.outDir, 'recorder-state.json'),
      '--json',
    ]);
    expect(told.code).toBe(0);
    const { recordings, damage } = JSON.parse(told.stdout) as {
      recordings: {
        check: string;
        machine_state: string;
        gaps: { cause: string }[];
        transitions: { event: string; to: string }[];
      }[];
      damage: string[];
    };
    expect(damage).toEqual([]);
    expect(recordings).toMatchObject([{ check: 'same', machine_state: 'published' }]);
    expect(recordings[0]?.gaps.map(({ cause }) => cause)).toContain('restart');
    const [{ transitions } = { transitions: [] }] = recordings;
    expect(transitions.filter(({ event }) => event === 'BASELINE')).toHaveLength(2);
    expect(transitions.at(-1)?.to).toBe('published');
    const table = await scene.ask(['replay', '--out-dir', scene.outDir, '--id', '0zz']);
    expect(table).toMatchObject({ code: 1, stdout: '' });
  });

  it('takes its spool up again though the state and the guide know nothing of it', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const { words, daemon, spool, provider } = await recording(scene, 17);
    daemon.signal('SIGKILL');
    await daemon.exited;
    const before = readFileSync(spool).subarray(0, -PACKET);
    for (const name of filesUnder(scene.outDir))
      if (name.startsWith('recorder-state')) rmSync(join(scene.outDir, name));
    await provider.setProgrammes(nothingYet('one.tv'));
    const stray = join(dirname(spool), 'dna-0-202601010000-nobodys.partial.ts');
    writeFileSync(stray, before);
    const again = scene.daemon(words);
    const report = await again.sees(
      'it is published',
      ({ completed }) => completed.length === 1,
      PATIENCE_MS,
    );
    expect(report.completed[0]).toMatchObject({ title: 'Long Match', recovery_reason: 'daemon_restart' });
    const media = filesUnder(scene.publishDir).find((path) => path.endsWith('.ts')) ?? '';
    const whole = readFileSync(join(scene.publishDir, media));
    expect(sha256(whole.subarray(0, before.length))).toBe(sha256(before));
    expect(said(again, 'spool_stranded')).toMatchObject({ path: stray });
    expect(sha256(readFileSync(stray))).toBe(sha256(before));
  });

  it('takes a second signal for the same one', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const { daemon, spool } = await recording(scene, 60);
    const stopped = daemon.stop();
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) daemon.signal(signal);
    const exit = await stopped;
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.ms).toBeLessThan(END_MS_MAX);
    const { frames, errors } = await decode(spool);
    expect(errors).toEqual([]);
    expect(frames.length).toBeGreaterThan(0);
    // The daemon is gone, its state is whole, and the report can be had without it.
    const answer = await scene.ask(['report', '--out-dir', scene.outDir]);
    expect(answer.code).toBe(0);
    expect(JSON.parse(answer.stdout)).toMatchObject({
      active: [{ title: 'Long Match', bytes_recorded: statSync(spool).size }],
    });
  });

  it('says so when its time has passed meanwhile', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const { words, daemon, spool, provider, endsAt } = await recording(scene, 10);
    await daemon.stop();
    const before = readFileSync(spool);
    await until('its time has passed', () => Date.now() > endsAt + 1_500, PATIENCE_MS);
    const asked = await provider.asked('one');
    const again = scene.daemon(words);
    const report = await again.sees(
      'it is published',
      ({ completed }) => completed.length === 1,
      PATIENCE_MS,
    );
    expect(report.completed[0]).toMatchObject({ outcome: 'partial', outcome_reason: 'interrupted' });
    const media = filesUnder(scene.publishDir).find((path) => path.endsWith('.ts')) ?? '';
    expect(sha256(readFileSync(join(scene.publishDir, media)))).toBe(sha256(before));
    expect(await provider.asked('one')).toBe(asked);
  });
});

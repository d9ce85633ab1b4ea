/** What real streams count for: cards, stills, padding, scrambling, as they come for half a minute. */
import { beforeAll, describe, expect, it } from 'vitest';
import { contentWatch, type DeadSpan } from '../../src/capture/contentWatch.js';
import { seamWatch } from '../../src/capture/seamWatch.js';
import { NULL_PID, PACKET_BYTES, payloadAt, pidAt } from '../../src/capture/tsPackets.js';
import { loopPackets, packetsDue, parseClip, TICKS_PER_MS, type LoopClip } from '../../src/demo/loopTs.js';
import { clipBytes } from '../media/clip.js';
import { eachPacket } from './spoolOfPieces.js';

const SECONDS = 32;

/** Plays it for half a minute at its pace; `change` is what the provider does to each part of it. */
function play(clip: LoopClip, change: (bytes: Buffer, second: number) => Buffer = (bytes) => bytes) {
  const dead: string[] = [];
  const content = contentWatch((sign) => dead.push(sign));
  const watch = seamWatch({
    onPackets: () => undefined,
    onSeam: () => undefined,
    onShift: () => undefined,
    onHole: () => undefined,
    onClock: (moved) => content.clock(moved),
    onUnit: (buffer, at, stream) => content.unit(buffer, at, stream),
  });
  for (let ms = 0; ms < SECONDS * 1000; ms += 100) {
    const [from, to] = [packetsDue(clip, ms * TICKS_PER_MS), packetsDue(clip, (ms + 100) * TICKS_PER_MS)];
    const bytes = change(loopPackets(clip, from, to), ms / 1000);
    content.packets(bytes, 0, bytes.length, ms + 100);
    watch.push(bytes, 0, bytes.length, ms + 100);
  }
  return { dead, spans: content.spans() };
}

function each(bytes: Buffer, change: (packet: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  eachPacket(copy, (at) => change(copy.subarray(at, at + PACKET_BYTES)));
  return copy;
}

/** Pictures that say something, long enough not to come again within the time of a card. */
const FILM = { seconds: 32, width: 480, height: 270, encoder: '-bf 0 -qp 14' };
let film: LoopClip;
beforeAll(async () => {
  film = parseClip(await clipBytes(FILM));
});

const spanMs = ({ fromMs, toMs }: DeadSpan) => toMs - fromMs;

describe('a stream that is worth nothing', () => {
  it('is one of padding', () => {
    const padding = Buffer.alloc(200 * PACKET_BYTES, 0xff);
    eachPacket(padding, (at) => Buffer.from([0x47, NULL_PID >> 8, NULL_PID & 0xff, 0x10]).copy(padding, at));
    const { dead, spans } = play(film, (bytes, second) => (second < 4 ? bytes : padding));
    expect(dead).toEqual(['padding']);
    expect(spans.map(spanMs)).toEqual([expect.closeTo(28_000, -4)]);
  });

  it('is one whose clock stands', () => {
    let clock: Buffer | null = null;
    const { dead } = play(film, (bytes, second) => {
      if (second < 2) return bytes;
      const packets: Buffer[] = [];
      eachPacket(bytes, (at) => {
        const packet = bytes.subarray(at, at + PACKET_BYTES);
        const isTimed = ((packet[1] ?? 0) & 0x40) !== 0 || ((packet[3] ?? 0) & 0x20) !== 0;
        if (!isTimed) packets.push(packet);
        else if (pidAt(packet, 0) === 0x100) packets.push((clock ??= Buffer.from(packet)));
      });
      return Buffer.concat(packets);
    });
    expect(dead).toEqual(['clock']);
  });

  it('is one that is scrambled', () => {
    const { dead, spans } = play(film, (bytes) =>
      each(bytes, (packet) => {
        if (pidAt(packet, 0) === 0x100) packet[3] = (packet[3] ?? 0) | 0x80;
      }),
    );
    expect(dead).toEqual(['scrambled']);
    expect(spans[0]?.fromMs).toBeLessThan(1_500);
  });

  it('is one of zeros', () => {
    const { dead } = play(film, (bytes) =>
      each(bytes, (packet) => {
        if (pidAt(packet, 0) >= 0x100 && pidAt(packet, 0) < 0x110)
          packet.fill(0, Math.min(PACKET_BYTES, payloadAt(packet, 0) + ((packet[1] ?? 0) & 0x40 ? 19 : 0)));
      }),
    );
    expect(dead).toEqual(['zeros']);
  });

  it('is a card that is shown in a loop, picture and sound', async () => {
    const card = parseClip(await clipBytes({ ...FILM, seconds: 3.2, firstNumber: 900 }));
    expect(play(card).dead).toEqual(['repeats']);
  });
});

describe('a stream that is worth something', () => {
  it.each<[string, Parameters<typeof clipBytes>[0]]>([
    ['a film', FILM],
    ['a still picture', { ...FILM, seconds: 3.2, step: 0, encoder: '-bf 0' }],
    ['pictures that hardly differ', { seconds: 32, encoder: '-bf 0 -crf 35' }],
    ['MPEG-2', { seconds: 32, codec: 'mpeg2video', encoder: '-bf 2' }],
    ['a constant rate', { ...FILM, encoder: '-bf 0', bitrate: 800_000 }],
  ])('%s is left alone', async (_name, shape) => {
    expect(play(parseClip(await clipBytes(shape)))).toEqual({ dead: [], spans: [] });
  });

  it('a card in a loop with a voice that goes on is left alone', async () => {
    const card = parseClip(await clipBytes({ ...FILM, seconds: 3.2, firstNumber: 900 }));
    let said = 0;
    const { dead } = play(card, (bytes) =>
      each(bytes, (packet) => {
        if (pidAt(packet, 0) === 0x101 && (packet[1] ?? 0) & 0x40) packet.writeUInt32BE(++said, 170);
      }),
    );
    expect(dead).toEqual([]);
  });

  it('radio is left alone', async () => {
    const sound = parseClip(await clipBytes({ seconds: 32 }));
    const { dead } = play(sound, (bytes) => {
      const packets: Buffer[] = [];
      eachPacket(bytes, (at) => {
        if (pidAt(bytes, at) !== 0x100) packets.push(bytes.subarray(at, at + PACKET_BYTES));
      });
      return Buffer.concat(packets);
    });
    expect(dead).toEqual([]);
  });
});

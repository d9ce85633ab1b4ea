/** How much of a disk stays free (CONTRACT §1): a size as it is, a share held between bounds. */

import type { Floor } from './quantity.js';

const GIB = 2 ** 30;
const SHARE_BYTES_MIN = 2 * GIB;
const SHARE_BYTES_MAX = 50 * GIB;

/** Bytes that must be free for anything new to start. A share of 0 is no floor. */
export function floorBytes(floor: Floor, totalBytes: number): number {
  if (floor.kind === 'bytes') return floor.bytes;
  if (floor.share === 0) return 0;
  return Math.min(SHARE_BYTES_MAX, Math.max(SHARE_BYTES_MIN, floor.share * totalBytes));
}

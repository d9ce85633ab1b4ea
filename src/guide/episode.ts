/**
 * `episode-num` as one string that is equal where the episode is (PROTOCOLS §3.1): `s2e12`, `e12`, `dd:EP012345`, or
 * '' where nothing tells one episode from the next.
 */

export interface EpisodeNumber {
  /** Attribute `system`; '' is `onscreen`, as the DTD says. */
  readonly system: string;
  readonly text: string;
}

/** Numbers that guides agree on come first: season and episode, then the database's id, then what the screen shows. */
export function episodeOf(numbers: readonly EpisodeNumber[]): string {
  for (const read of [fromXmltvNs, fromProgid, fromOnscreen]) {
    for (const { system, text } of numbers) {
      const episode = read(system.trim().toLowerCase() || 'onscreen', text.trim());
      if (episode !== '') return episode;
    }
  }
  return '';
}

/** `S . E/total . P/total`, counted from zero, every part optional: `1 . 11/13 . 0/2` is the first half of S2E12. */
function fromXmltvNs(system: string, text: string): string {
  if (system !== 'xmltv_ns') return '';
  const parts = text
    .replace(/\s/g, '')
    .split('.')
    .map((part) => /^(\d{1,6})(?:\/(\d{1,6}))?$/.exec(part));
  const [season, episode, half] = parts;
  if (!episode) return '';
  const counted = (found: RegExpExecArray | null | undefined, letter: string) =>
    found ? `${letter}${Number(found[1]) + 1}` : '';
  const halves = half && Number(half[2] ?? 0) > 1 ? half : null;
  return counted(season, 's') + counted(episode, 'e') + counted(halves, 'p');
}

/** `EP01234567.0012`. Ids in SH name the show, not the episode. */
function fromProgid(system: string, text: string): string {
  if (system !== 'dd_progid') return '';
  const id = text.replace(/[\s.]/g, '').toUpperCase();
  return /^(EP|SP|MV)\d+$/.test(id) ? `dd:${id}` : '';
}

/** `S01E02`, `s1 ep. 2`, `1x02`, `Episode 12`, `Ep 3`. */
function fromOnscreen(system: string, text: string): string {
  if (system !== 'onscreen') return '';
  const [, season, episode] =
    /\bS(?:eason|eries)?\s*(\d{1,4})\W*E(?:p(?:isode)?)?\.?\s*(\d{1,6})\b/i.exec(text) ??
    /^(\d{1,4})\s*x\s*(\d{1,6})$/i.exec(text) ??
    [];
  if (season !== undefined && episode !== undefined) return `s${Number(season)}e${Number(episode)}`;
  const [, alone] = /^E(?:p(?:isode)?)?\.?\s*(\d{1,6})\b/i.exec(text) ?? [];
  return alone === undefined ? '' : `e${Number(alone)}`;
}

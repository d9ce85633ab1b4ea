/** `plan --deletions`: what goes, when and why, from the state alone. */

import { deletionsOf } from '../domain/deletions.js';
import { NEVER } from '../domain/lane.js';
import { rfc3339 } from '../domain/text.js';
import { retainedItem, retentionOf } from '../runtime/retaining.js';
import type { Survey } from '../runtime/survey.js';
import type { Session } from './session.js';
import { localTime, table } from './table.js';

export function sayDeletions({ loaded, say }: Session, { entries, at: now }: Survey): void {
  const items = entries.flatMap((entry) => retainedItem(entry) ?? []);
  const { deletions, unmet } = deletionsOf(items, retentionOf(loaded.config), now);
  const byId = new Map(entries.map((entry) => [entry.id, entry.recording]));
  const rows = deletions.flatMap(({ id, at, rule }) => {
    const recording = byId.get(id);
    if (!recording || at >= NEVER) return [];
    const { capsule, result, bytes } = recording;
    return [{ id, at, rule, capsule, bytes: result?.bytes ?? bytes }];
  });
  if (loaded.answer.format === 'json') {
    const shown = rows.map(({ id, at, rule, capsule, bytes }) => ({
      id,
      capsule_id: capsule.capsuleId,
      title: capsule.title,
      channel_name: capsule.channelName,
      lane: capsule.lane,
      at: rfc3339(at),
      rule,
      bytes,
    }));
    const limits = unmet.map(({ rule, of, over }) => ({ rule, of, over }));
    say(`${JSON.stringify({ generated_at: rfc3339(now), deletions: shown, unmet: limits }, null, 2)}\n`);
    return;
  }
  const cells = rows.map(({ id, at, rule, capsule }) => [
    localTime(at),
    id,
    capsule.lane,
    capsule.channelName,
    capsule.title,
    rule,
  ]);
  say(table(['goes', 'id', 'lane', 'channel', 'title', 'rule'], cells));
  for (const { rule, of, over } of unmet)
    say(
      `${rule}${of === '' ? '' : ` of ${of}`} stays exceeded by ${over}: what is left is kept or being recorded\n`,
    );
}

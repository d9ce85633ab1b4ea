/** When panels are asked, and what is believed of their answer. */
import { describe, expect, it } from 'vitest';
import type { SchedulerContext } from '../../machines/schedulerContext.js';
import { accountOf } from '../../src/domain/account.js';
import { panelFacts, type PanelFacts } from '../../src/domain/panel.js';
import type { ListData } from '../../src/domain/programme.js';
import { NO_SLOTS, type Want } from '../../src/domain/slots.js';
import { createPanels } from '../../src/runtime/panels.js';

const URL = 'http://panel.example/live/me/secret/1.ts';
const ACCOUNT = accountOf(URL).key;
const facts = (max: unknown, open: unknown): PanelFacts =>
  panelFacts({ max_connections: max, active_cons: open }, {});
const list = (panel?: PanelFacts): ListData => ({
  channels: [{ urls: [URL] }] as unknown as ListData['channels'],
  guideUrls: [],
  skipped: {},
  ...(panel && { panel }),
});
const waiting: Want = {
  id: 'r',
  candidates: [{ source: 's', channel: 'c', index: 0, accounts: [ACCOUNT] }],
  priority: 10,
  openAt: 0,
  startAt: 0,
  stopAt: 1,
  fresh: true,
  told: null,
};

function world(panel: PanelFacts | null, answer: PanelFacts | null) {
  const asked: string[] = [];
  let told: () => void = () => undefined;
  const news = new Promise<void>((resolve) => (told = resolve));
  const panels = createPanels({
    lists: () => [{ ref: { id: 'x', kind: 'xtream', location: '' }, list: list(panel ?? undefined) }],
    ask: (ref) => {
      asked.push(ref.id);
      return Promise.resolve(answer);
    },
    onNews: told,
  });
  const table = (queue: readonly Want[], open = 0) =>
    ({
      ...NO_SLOTS,
      queue,
      slots: Array.from({ length: open }, () => ({ accounts: [ACCOUNT] })),
    }) as unknown as SchedulerContext;
  return { asked, news, panels, table };
}

describe('panels', () => {
  it('say what an account may have, as the list was loaded', () => {
    const { panels } = world(facts('2', '0'), null);
    expect([...panels.accounts()]).toEqual([[ACCOUNT, { max: 2, others: null }]]);
  });

  it('are no matter where no panel answered with the list', () => {
    const { panels, asked, table } = world(null, facts('1', '0'));
    panels.look(table([waiting]), 0);
    expect([...panels.accounts()]).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('are asked again while somebody waits, once a minute, and ours are taken off what they count', async () => {
    const { panels, asked, news, table } = world(facts('3', '0'), facts('3', '3'));
    panels.look(table([]), 0);
    expect(asked).toEqual([]);
    panels.look(table([waiting], 1), 1_000);
    await news;
    expect(panels.accounts().get(ACCOUNT)).toEqual({ max: 3, others: { open: 2, until: 151_000 } });
    panels.look(table([waiting], 1), 60_000);
    expect(asked).toHaveLength(1);
    panels.look(table([waiting], 1), 61_000);
    expect(asked).toHaveLength(2);
  });

  it('that do not answer change nothing', async () => {
    const { panels, asked, table } = world(facts('3', '0'), null);
    panels.look(table([waiting]), 0);
    await Promise.resolve();
    expect(asked).toHaveLength(1);
    expect(panels.accounts().get(ACCOUNT)).toEqual({ max: 3, others: null });
  });
});

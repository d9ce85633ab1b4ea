/**
 * What a commit writes: every value that changed, as it was when the commit began (P7). At the full hour hundreds change
 * in one turn of the loop; their texts are made a few at a time, so that captures get their turn (P1).
 */
import type { Section, StateDocument } from './document.js';
import type { StoreLog } from './journalAdapter.js';

export type Changes = Map<Section, Set<string>>;

/** A value of a commit. */
export interface Member {
  readonly section: Section;
  readonly key: string;
  /** JSON; null where it is none. */
  readonly text: () => string | null;
}

/** So many are told in a turn of the loop, in well under a millisecond. */
const MEMBERS_A_TURN = 16;

/** A row never changes, so that its text may be made later; any other value is small, and told now. */
export function takenDown(
  state: StateDocument,
  changes: Changes,
  log: Pick<StoreLog, 'error'>,
): readonly Member[] {
  const textOf = (section: Section, key: string, value: unknown): string | null => {
    try {
      return JSON.stringify(value ?? null);
    } catch (error) {
      log.error({ section, key, error: String(error) }, 'a value that is no JSON was left out of the state');
      return null;
    }
  };
  return [...changes].flatMap(([section, keys]) =>
    [...keys].map((key) => {
      if (section === 'recordings') {
        const row = state.recordings.row(key);
        return { section, key, text: () => textOf(section, key, row?.read()) };
      }
      const text = textOf(section, key, state[section].get(key));
      return { section, key, text: () => text };
    }),
  );
}

/** JSON of `{SECTION:{KEY:VALUE}}`, in which null is a value that is no more. */
export async function commitText(members: readonly Member[], turn: () => Promise<void>): Promise<string> {
  const sections = new Map<Section, string[]>();
  for (const [n, { section, key, text }] of members.entries()) {
    if (n % MEMBERS_A_TURN === MEMBERS_A_TURN - 1) await turn();
    const value = text();
    const told = sections.get(section) ?? [];
    if (value !== null) told.push(`${JSON.stringify(key)}:${value}`);
    sections.set(section, told);
  }
  return `{${[...sections].map(([section, told]) => `"${section}":{${told.join(',')}}`).join(',')}}`;
}

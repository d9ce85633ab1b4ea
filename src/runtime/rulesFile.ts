/** `--rules`: read again whenever the file changes; what cannot be read records nothing, and that is said once. */

import type { Config } from '../config/config.js';
import { CodedError } from '../domain/errors.js';
import type { RuleBook } from '../domain/rules.js';
import { diskCode } from '../io/disk.js';
import { parseRules } from '../store/rules.js';
import type { Doors } from './doors.js';

export interface RulesFile {
  /** Looks at the file; true where another book is in use now. */
  reread(): Promise<boolean>;
  /** Undefined where no file is named. */
  book(): RuleBook | undefined;
}

export function createRulesFile(config: Config, { disk, log }: Pick<Doors, 'disk' | 'log'>): RulesFile {
  let read = '';
  let book: RuleBook | undefined;

  return {
    async reread() {
      const { rulesFile: path, rulesOnly: only } = config.what;
      if (path === null) {
        const had = book !== undefined;
        book = undefined;
        read = '';
        return had;
      }
      let text: string;
      try {
        text = (await disk.readFile(path)).toString();
      } catch (error) {
        return fail(path, `${path} (${diskCode(error)})`);
      }
      if (read === `${only} ${path} ${text}`) return false;
      try {
        const rules = parseRules(text, path);
        book = { kind: 'rules', rules, only };
        read = `${only} ${path} ${text}`;
        log.info({ path, rules: rules.length }, 'rules are in use');
        return true;
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        return fail(path, error.detail);
      }
    },
    book: () => book,
  };

  function fail(path: string, detail: string): boolean {
    const news = `failed ${path} ${detail}`;
    if (read === news) return false;
    read = news;
    book = { kind: 'unreadable' };
    log.error({ code: 'rules_unreadable', detail }, 'the rules cannot be read: nothing is recorded by them');
    return true;
  }
}

/**
 * The last lines of a terminal, kept below the log: drawn over when something is logged and when something changed.
 * Where there is no terminal there is no screen, and the log is plain lines.
 */

export interface Terminal {
  write(text: string): unknown;
  readonly columns?: number | undefined;
}

export interface Screen {
  /** A finished line of the log, above. */
  write(line: string): void;
  /** What stands below, from now on. */
  show(lines: readonly string[]): void;
  /** Takes it away, for good. */
  clear(): void;
  columns(): number;
}

const COLUMNS = 80;

export function createScreen(terminal: Terminal): Screen {
  let shown: readonly string[] = [];
  // A terminal that nobody has measured says 0.
  const columns = () => terminal.columns || COLUMNS;
  /** Of a terminal that has become narrower since, a line takes several. */
  const rows = () =>
    shown.reduce((sum, line) => sum + Math.max(1, Math.ceil([...line].length / columns())), 0);
  /** To the first of the lines that stand there, and nothing below. */
  const wipe = () => (shown.length === 0 ? '' : `\r\u001b[${rows()}A\u001b[J`);
  const drawn = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  return {
    write: (line) => void terminal.write(`${wipe()}${line}${drawn(shown)}`),
    show(lines) {
      const text = `${wipe()}${drawn(lines)}`;
      shown = lines;
      terminal.write(text);
    },
    clear() {
      const text = wipe();
      shown = [];
      if (text !== '') terminal.write(text);
    },
    columns,
  };
}

/** What a benchmark is: one object of this shape a row of `benches.ts`. */

/** Options as they were given, by name. */
export type BenchOptions = ReadonlyMap<string, string>;

export interface Budget {
  readonly what: string;
  readonly value: number;
  /** More than this is over the budget of DESIGN §9. */
  readonly max: number;
}

export interface BenchResult {
  readonly budgets: readonly Budget[];
  /** Whatever else was measured, for people; plain JSON. */
  readonly measured: object;
}

export interface Bench {
  readonly name: string;
  readonly what: string;
  /** Names of the options it takes, with what they mean. */
  readonly options: Readonly<Record<string, string>>;
  run(options: BenchOptions): Promise<BenchResult>;
}

export function numberOption(options: BenchOptions, name: string, otherwise: number): number {
  const given = options.get(name);
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (!Number.isFinite(value) || value <= 0) throw new Error(`--${name} needs a number above 0`);
  return value;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

export function rounded(value: number, digits = 3): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

interface Edit {
  /** From the top of the package. */
  readonly file: string;
  /** Words of the source, or a pattern for them. */
  readonly from?: string;
  readonly pattern?: RegExp;
  readonly to: string;
}

export interface Mutant extends Partial<Edit> {
  readonly name: string;
  readonly edits?: readonly Edit[];
}

export const MUTANTS: readonly Mutant[];
export function editsOf(mutant: Mutant): readonly Edit[];
export function planted(name: string, edit: Edit): string;

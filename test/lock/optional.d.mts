/** Types of `optional.mjs`, which is plain JavaScript because `npm run lock` runs before anything is built. */

export interface LockEntry {
  readonly version?: string | undefined;
  readonly dev?: boolean;
  readonly optional?: boolean | undefined;
  readonly os?: string[] | undefined;
  readonly cpu?: string[] | undefined;
  readonly libc?: string[] | undefined;
  readonly optionalDependencies?: Record<string, string> | undefined;
}

export interface OptionalDependency {
  readonly name: string;
  readonly version: string;
  readonly dev: boolean;
}

export function missingOptionals(lock: { packages: Record<string, LockEntry> }): OptionalDependency[];
export function platformOf(name: string): { os: string[]; cpu: string[]; libc?: string[] } | null;
export function entryFor(dependency: OptionalDependency): LockEntry;

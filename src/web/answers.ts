/** What the page reads of the answers; the shapes are those of /api/openapi.json. */

import type { z } from 'zod';
import type * as shapes from '../api/shapes.js';

export type Recording = z.infer<typeof shapes.recordingItem> & {
  readonly started_at?: string;
  readonly source_url?: string;
  readonly last_fault?: string;
  readonly attempt?: number;
  readonly capture_upstream_switches?: number;
  readonly sub_title?: string;
  readonly error?: string;
};
export type RecordingDetail = z.infer<typeof shapes.recordingDetail> & Recording & { readonly desc?: string };
export type Recordings = z.infer<typeof shapes.recordings>;
export type Guide = z.infer<typeof shapes.guide>;
export type GuideChannel = Guide['channels'][number];
export type GuideProgramme = GuideChannel['programmes'][number];
export type Storage = z.infer<typeof shapes.storage>;
export type Machines = z.infer<typeof shapes.machines>;
export type Charts = z.infer<typeof shapes.charts>;
export type Past = z.infer<typeof shapes.past>;
export type Words = z.infer<typeof shapes.words>;

export interface Upstreams {
  readonly slots: { readonly used: number; readonly limit: number; readonly refused_for: string | null };
  readonly accounts: readonly {
    readonly account: string;
    readonly open: number;
    readonly cooling: number;
    readonly limit: number | null;
    readonly configured: number | null;
    readonly learned: { readonly limit: number; readonly at: string } | null;
    readonly reserve: number;
  }[];
  readonly hosts: readonly {
    readonly host: string;
    readonly failures: number;
    readonly penalty: number;
    readonly last_cause: string;
    readonly last_at: string;
  }[];
  readonly connections: readonly {
    readonly upstream: string;
    readonly recordings: readonly string[];
    readonly since: string;
    readonly state: string;
  }[];
  readonly waiting: readonly {
    readonly recording: string;
    readonly reason: string | null;
    readonly priority: number;
  }[];
}

export interface Sources {
  readonly sources: readonly {
    readonly id: string;
    readonly kind: string;
    readonly location: string;
    readonly state: string;
    readonly channels: number;
    readonly programmes: number;
    readonly accepted_at: string | null;
    readonly held: { readonly reason: string; readonly since: string } | null;
    readonly problem: { readonly code: string; readonly detail: string; readonly since: string } | null;
  }[];
}

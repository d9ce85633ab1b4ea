/** What the page reads of the answers: the shapes of /api/openapi.json. */

import type { z } from 'zod';
import type * as ofRecordings from '../api/recordingShapes.js';
import type * as shapes from '../api/shapes.js';

export type Recording = z.infer<typeof ofRecordings.recordingItem>;
export type RecordingDetail = z.infer<typeof ofRecordings.recordingDetail>;
export type Recordings = z.infer<typeof ofRecordings.recordings>;
export type Past = z.infer<typeof ofRecordings.past>;
export type Health = z.infer<typeof shapes.health>;
export type Guide = z.infer<typeof shapes.guide>;
export type GuideChannel = Guide['channels'][number];
export type GuideProgramme = GuideChannel['programmes'][number];
export type Storage = z.infer<typeof shapes.storage>;
export type Machines = z.infer<typeof shapes.machines>;
export type Charts = z.infer<typeof shapes.charts>;
export type Words = z.infer<typeof shapes.words>;
export type Upstreams = z.infer<typeof shapes.upstreams>;
export type Sources = z.infer<typeof shapes.sources>;

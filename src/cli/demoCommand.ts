/** `demo`: the embedded provider alone, for trying the recorder (or any other) against it. */

import { startDemoProvider } from '../demo/provider.js';
import { onSignals } from './signals.js';
import type { Session } from './session.js';

const FIRST_START_MS = 8_000;
const DEMO_PORT = 8_999;

export async function demoCommand({ loaded, say }: Session): Promise<number> {
  const where = loaded.config.doors.listen ?? { host: '127.0.0.1', port: DEMO_PORT };
  const provider = await startDemoProvider({ ...where, firstStartInMs: FIRST_START_MS, faults: true });
  const answer = { m3u: provider.m3uUrl, xmltv: provider.xmltvUrl };
  say(
    loaded.answer.format === 'json'
      ? `${JSON.stringify(answer)}\n`
      : [
          `channel list  ${answer.m3u}`,
          `guide         ${answer.xmltv}`,
          `record it     catchupd run --m3u ${answer.m3u} --xmltv ${answer.xmltv}`,
          '',
        ].join('\n'),
  );
  await new Promise<void>((resolve) => {
    const signals = onSignals({
      stop: () => {
        signals.ignore();
        resolve();
      },
    });
    if (loaded.config.run.runForMs > 0) setTimeout(resolve, loaded.config.run.runForMs);
  });
  await provider.close();
  return 0;
}

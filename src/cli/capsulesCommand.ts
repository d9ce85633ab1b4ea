/** `capsules`: the preview on stdout or in a file, and lane by lane in a folder. */

import { dirname, join } from 'node:path';
import { laneNames } from '../domain/laneDefinition.js';
import { preview, previewLayout } from '../domain/preview.js';
import { replaceFile } from '../io/replaceFile.js';
import { previewOptions, shownCapsules } from './previewing.js';
import type { Session } from './session.js';
import { localTime, table } from './table.js';
import { withSurvey } from './withSurvey.js';

export function capsulesCommand(session: Session): Promise<number> {
  const { loaded, say } = session;
  const { config, answer } = loaded;
  return withSurvey(session, async (found, { disk }) => {
    const capsules = shownCapsules(found, config);
    const whole = preview(capsules, previewOptions(found, config, config.how.replayUrlTemplate));
    const text = (content: object) => `${JSON.stringify(content, null, 2)}\n`;
    const mode = 0o666 & ~config.places.umask;
    if (answer.layoutDir !== null) {
      await disk.mkdir(answer.layoutDir);
      for (const [name, content] of previewLayout(whole, laneNames(config.what.laneDefinitions)))
        await replaceFile(disk, join(answer.layoutDir, name), text(content), { mode });
    }
    if (answer.out !== null) {
      await disk.mkdir(dirname(answer.out));
      await replaceFile(disk, answer.out, text(whole), { mode });
    } else if (answer.format === 'json') say(text(whole));
    else
      say(
        table(
          ['start', 'state', 'lane', 'channel', 'title'],
          whole.capsules.map((each) => [
            localTime(Date.parse(each.start)),
            each.state,
            each.lane,
            each.channel_name,
            each.title,
          ]),
        ),
      );
    return 0;
  });
}

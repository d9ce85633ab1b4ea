/**
 * The provider fake as a process of its own, so that the recorder and it share nothing but a socket. It is told what to
 * do by messages of its parent and ends with it.
 */
import { loopClip, type ClipShape } from '../media/clip.js';
import {
  startFakeProvider,
  type Behaviour,
  type FakeChannel,
  type FakePage,
  type FakeProgramme,
  type FakeProvider,
  type FakeProviderOptions,
  type FakeRequest,
} from './provider.js';

/** A channel by the shape of its clip: clips themselves do not travel. */
export type ChannelWish = Omit<FakeChannel, 'clip'> & { readonly clip?: Partial<ClipShape> };

export type ProviderWish = Omit<FakeProviderOptions, 'channels'> & {
  readonly channels: readonly ChannelWish[];
};

export type ProviderOrder =
  | { readonly do: 'start'; readonly wish: ProviderWish }
  | { readonly do: 'behave'; readonly id: string; readonly behaviour: Behaviour }
  | { readonly do: 'programmes'; readonly programmes: readonly FakeProgramme[] }
  | { readonly do: 'page'; readonly path: string; readonly page: FakePage | null }
  | { readonly do: 'cut'; readonly id: string }
  | { readonly do: 'facts' };

export interface ProviderFacts {
  readonly url: string;
  readonly requests: readonly FakeRequest[];
  readonly openStreams: number;
  readonly openStreamsMax: number;
}

export interface ProviderMessage {
  readonly number: number;
  readonly order: ProviderOrder;
}

export type ProviderAnswer =
  | { readonly number: number; readonly facts: ProviderFacts }
  | { readonly number: number; readonly error: string };

let running: FakeProvider | null = null;

async function obey(order: ProviderOrder): Promise<ProviderFacts> {
  if (order.do === 'start') {
    const channels = order.wish.channels.map(async ({ clip, ...channel }) => ({
      ...channel,
      clip: await loopClip(clip),
    }));
    running = await startFakeProvider({ ...order.wish, channels: await Promise.all(channels) });
  }
  if (!running) throw new Error('the provider was not started');
  switch (order.do) {
    case 'behave':
      running.behave(order.id, order.behaviour);
      break;
    case 'programmes':
      running.setProgrammes(order.programmes);
      break;
    case 'page':
      running.setPage(order.path, order.page);
      break;
    case 'cut':
      running.cut(order.id);
      break;
    case 'start':
    case 'facts':
      break;
  }
  return {
    url: running.url,
    requests: running.requests,
    openStreams: running.openStreams(),
    openStreamsMax: running.openStreamsMax(),
  };
}

process.on('message', (message: ProviderMessage) => {
  const { number, order } = message;
  void obey(order).then(
    (facts) => process.send?.({ number, facts } satisfies ProviderAnswer),
    (error: unknown) => process.send?.({ number, error: String(error) } satisfies ProviderAnswer),
  );
});
process.on('disconnect', () => process.exit(0));

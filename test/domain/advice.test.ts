import { describe, expect, it } from 'vitest';
import { aliasAdvice, wideOpen } from '../../src/domain/advice.js';
import { channel } from './programmes.js';

const NO_CHOICE = { channels: [], groups: [], excludeGroups: [], excludeChannels: [] };
const many = (count: number) =>
  Array.from({ length: count }, (_, i) => channel(`c ${i}`, { group: `group ${Math.floor(Math.sqrt(i))}` }));

describe('a list of thousands', () => {
  it('is said with its ten largest groups, where nobody chose among them', () => {
    const groups = wideOpen(many(1_001), NO_CHOICE) ?? [];
    expect(groups).toHaveLength(10);
    expect(groups[0]).toEqual({ group: 'group 30', channels: 61 });
    expect(wideOpen(many(1_000), NO_CHOICE)).toBeNull();
    expect(wideOpen(many(1_001), { ...NO_CHOICE, groups: ['group 1'] })).toBeNull();
  });
});

describe('channels that no guide knows', () => {
  const guide = [
    { id: 'bbc1.uk', names: ['BBC One London'] },
    { id: 'itv.uk', names: ['ITV 1'] },
  ];

  it('are counted, and the guide channel that is called most like them is named', () => {
    const channels = [channel('BBC One Lundon HD'), channel('ITV 1'), channel('Something Else')];
    expect(aliasAdvice(channels, guide)).toEqual({
      unmatched: 2,
      pairs: [{ name: 'BBC One Lundon HD', guideId: 'bbc1.uk' }],
    });
  });

  it('are none where all are known', () => {
    expect(aliasAdvice([channel('x', { tvgId: 'ITV.uk' })], guide)).toEqual({ unmatched: 0, pairs: [] });
  });
});

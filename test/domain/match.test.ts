import { describe, expect, it } from 'vitest';
import { matchChannels } from '../../src/domain/match.js';
import { channel } from './programmes.js';

const GUIDE = [
  { id: 'BBCOne.uk', names: ['BBC One', '101'] },
  { id: 'itv.uk', names: ['ITV'] },
  { id: 'sky1', names: ['Sky Sports'] },
  { id: 'sky2', names: ['Sky-Sports HD'] },
  { id: '205', names: [] },
];
const matchOf = (row: ReturnType<typeof channel>, aliases?: ReadonlyMap<string, string>) =>
  matchChannels([row], GUIDE, aliases)[0]?.guide ?? null;

describe('matchChannels', () => {
  it('takes the XMLTV id first, whatever its case and blanks', () => {
    expect(matchOf(channel('ITV', { tvgId: ' bbcone.UK ' }))).toEqual({
      id: 'BBCOne.uk',
      method: 'tvg_id_exact',
    });
  });

  it('takes the alias file next', () => {
    const aliases = new Map([['beeb', 'bbcone.uk']]);
    expect(matchOf(channel('UK: Beeb HD'), aliases)).toEqual({ id: 'BBCOne.uk', method: 'alias_exact' });
    expect(matchOf(channel('Beeb'), new Map([['beeb', 'gone.uk']]))).toBeNull();
  });

  it('takes a name that only one channel of the guide has, ids included', () => {
    expect(matchOf(channel('UK | BBC ONE (FHD)'))).toEqual({ id: 'BBCOne.uk', method: 'name_exact' });
    expect(matchOf(channel('itv.uk', { tvgId: 'unknown' }))).toEqual({ id: 'itv.uk', method: 'name_exact' });
  });

  it('takes none of several that share a name', () => {
    expect(matchOf(channel('Sky Sports'))).toBeNull();
  });

  it('takes a guide id that is the number of the row', () => {
    expect(matchOf(channel('Something', { guideNumber: '205' }))).toEqual({
      id: '205',
      method: 'guide_number',
    });
  });

  it('finds nothing for a row without name, id and number', () => {
    expect(matchOf(channel('HD'))).toBeNull();
  });
});

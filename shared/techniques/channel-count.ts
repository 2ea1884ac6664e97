/** Owns how many units of a channel group go: share or count, at least one stays, multiples where possible. */
import type { ChannelGroup } from '../analysis/channel-groups.ts';

export interface Amount {
  /** Share removed, 0 to 1; read where `count` is undefined. */
  readonly ratio: number;
  /** Channels removed, of the first maker's output. */
  readonly count?: number;
  /** What stays is a multiple of this, where the group can be. */
  readonly multipleOf: number;
}

export interface Decision {
  readonly units: number;
  /** 'one-stays': more was asked than may go. 'no-multiple': nothing the group can be is such a multiple. */
  readonly limit?: 'one-stays' | 'no-multiple';
}

/**
 * Units to remove from a group. Rounds the share to the nearest unit; of multiples takes the nearest to that, the
 * larger on a tie. Never all units.
 */
export function unitsToRemove(group: Pick<ChannelGroup, 'units' | 'channelsPerUnit'>, amount: Amount): Decision {
  const { units, channelsPerUnit } = group;
  const asked =
    amount.count === undefined ? Math.round(units * amount.ratio) : Math.round(amount.count / channelsPerUnit);
  const wanted = Math.min(Math.max(asked, 0), units - 1);
  const limited = asked > wanted;
  if (wanted === 0 || amount.multipleOf === 1)
    return limited ? { units: wanted, limit: 'one-stays' } : { units: wanted };
  const stay = units - wanted;
  let best: number | undefined;
  for (let k = units; k >= 1; k--) {
    if ((k * channelsPerUnit) % amount.multipleOf !== 0) continue;
    if (best === undefined || Math.abs(k - stay) < Math.abs(best - stay)) best = k;
  }
  if (best === undefined) return { units: 0, limit: 'no-multiple' };
  return limited ? { units: units - best, limit: 'one-stays' } : { units: units - best };
}

import type { ChannelId, Said } from './queries'

/** What the form of a change of many holds. */
export interface BulkForm {
  state: Said
  purpose: string
  channel: ChannelId
  /** Version that these people agreed to; 0: not chosen yet. */
  wording: number
  reason: string
}

/** Whether a change may be sent: it says why, and a grant names the wording that people agreed to. */
export function ready(f: BulkForm): boolean {
  if (f.purpose === '' || f.reason.trim() === '') return false
  if (f.state === 'withdrawn') return true
  return f.wording > 0 && f.purpose !== 'everything'
}

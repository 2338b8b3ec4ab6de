import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { LinkOpen } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { useTimezone } from '@/shared/lib/session'
import { formatDateTime } from '@/shared/lib/time'
import { useUrlChoice } from '@/shared/lib/url'
import { DataTable } from '@/shared/ui/DataTable'
import { FilterBar } from '@/shared/ui/FilterBar'
import { Segmented } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { appName, deviceName } from '../device'
import { openingsPage } from '../queries'

const WHO = ['known', 'all'] as const

/** Who opened which link, the newest first. */
export function Radar() {
  const { t } = useTranslation('links')
  const [who, setWho] = useUrlChoice('who', WHO, 'known')
  return (
    <Panel flush title={t('radar.title')} desc={t('radar.desc')}>
      <FilterBar>
        <Segmented value={who} aria-label={t('radar.who')} onChange={setWho} options={WHO.map((w) => ({ value: w, label: t(`radar.${w}`) }))} />
      </FilterBar>
      <Openings known={who === 'known'} withLink />
    </Panel>
  )
}

/** Openings of one link, or of all. New ones come by themselves. */
export function Openings({ code, known, withLink }: { code?: string; known: boolean; withLink?: boolean }) {
  const { t } = useTranslation('links')
  const { lang } = usePrefs()
  const zone = useTimezone()
  const list = useCursorList<LinkOpen>({ ...openingsPage(code, known), refetchInterval: 10_000 })
  return (
    <DataTable<LinkOpen>
      label={t('radar.title')}
      list={list}
      rowKey={(o) => `${o.code} ${o.at} ${o.contact?.id ?? ''} ${o.device} ${o.app}`}
      columns={[
        { key: 'at', title: t('radar.at'), render: (o) => <span className="kp-num">{formatDateTime(o.at, lang, zone, true)}</span> },
        { key: 'contact', title: t('radar.contact'), render: (o) => (o.contact ? <Link to={`/contacts/${o.contact.id}`}>{o.contact.name || t('radar.noName')}</Link> : <span className="kp-muted">{t('radar.visitor')}</span>) },
        ...(withLink ? [{ key: 'link', title: t('radar.link'), clip: true, render: (o: LinkOpen) => <Link to={`/links?link=${o.code}`}>{o.title || o.code}</Link> }] : []),
        { key: 'device', title: t('radar.device'), render: (o) => t('radar.deviceIn', { device: deviceName(o.device, t), app: appName(o.app, t) }) },
        { key: 'referrer', title: t('radar.referrer'), clip: true, render: (o) => o.referrer || t('none') },
      ]}
      empty={<Empty title={t('radar.empty')} desc={t('radar.emptyDesc')} />}
    />
  )
}

import { useQuery } from '@tanstack/react-query'
import { Copy, Download } from 'lucide-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LinkStats, ShortLink } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { presetDays, withInstants } from '@/shared/lib/range'
import { useTimezone } from '@/shared/lib/session'
import { addDays, dayOf, formatDay } from '@/shared/lib/time'
import { Chart } from '@/shared/ui/Chart'
import { copyToClipboard } from '@/shared/ui/copy'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { appName, deviceName } from '../device'
import { linkQuery, qrAddress, statsQuery } from '../queries'
import { wholeAddress } from '../address'
import css from './links.module.css'
import { Openings } from './Radar'

/** One link: its code to print, and who opened it in the last thirty days. */
export function LinkDrawer({ code, onClose }: { code: string; onClose: () => void }) {
  const { t } = useTranslation('links')
  const link = useQuery(linkQuery(code))
  return (
    <Drawer open onClose={onClose} title={link.data?.title ?? t('title')} width={760}>
      <QueryState query={link}>{(l) => <Detail link={l} />}</QueryState>
    </Drawer>
  )
}

function Detail({ link }: { link: ShortLink }) {
  const { t } = useTranslation('links')
  const toast = useToast()
  const zone = useTimezone()
  const [now] = useState(Date.now)
  const today = dayOf(now, zone)
  const range = useMemo(() => {
    const days = presetDays('30d', today)
    return withInstants('30d', days.first, days.last, zone)
  }, [today, zone])
  const stats = useQuery(statsQuery(link.code, range.from, range.to))
  const address = wholeAddress(link, window.location.origin)
  const copy = async () => {
    if (await copyToClipboard(address)) toast.done(t('detail.copied'))
  }
  return (
    <div className="kp-stack">
      <div className={css.head}>
        <img className={css.qr} src={qrAddress(link.code, 'svg', 240)} width={132} height={132} alt={t('detail.qr', { title: link.title })} />
        <div className={css.about}>
          <div className={css.address}>
            <code>{address}</code>
            <Button size="small" icon={<Copy size={14} aria-hidden />} onClick={() => void copy()}>
              {t('detail.copy')}
            </Button>
          </div>
          <div className="kp-muted kp-clip" title={link.leads}>
            {t('detail.leads', { target: link.leads })}
          </div>
          <div className="kp-row">
            {(['png', 'svg'] as const).map((f) => (
              <Button key={f} size="small" icon={<Download size={14} aria-hidden />} href={qrAddress(link.code, f, 1200)} download={`link-${link.code}.${f}`}>
                {t(`detail.${f}`)}
              </Button>
            ))}
          </div>
        </div>
      </div>
      <QueryState query={stats} height={300}>
        {(s) => <Figures stats={s} first={range.first} last={range.last} />}
      </QueryState>
      <h3 className={css.sub}>{t('detail.who')}</h3>
      <Openings code={link.code} known={false} />
    </div>
  )
}

function Figures({ stats, first, last }: { stats: LinkStats; first: string; last: string }) {
  const { t } = useTranslation('links')
  const { lang } = usePrefs()
  const days = useMemo(() => {
    const out: string[] = []
    for (let d = first; d <= last; d = addDays(d, 1)) out.push(d)
    return out
  }, [first, last])
  const at = new Map(stats.days.map((d) => [d.key, d]))
  const noise = stats.noise.reduce((n, x) => n + x.n, 0)
  return (
    <>
      <p className={css.figures}>
        <b>{t('detail.opens', { value: formatInt(stats.opens, lang) })}</b>
        <span>{t('detail.people', { value: formatInt(stats.people, lang) })}</span>
        <span>{t('detail.known', { value: formatInt(stats.known, lang) })}</span>
        {noise > 0 && <span className="kp-muted">{t('detail.noise', { value: formatInt(noise, lang) })}</span>}
        {stats.lost > 0 && <span className="kp-muted">{t('detail.lost', { value: formatInt(stats.lost, lang) })}</span>}
      </p>
      <Chart
        label={t('detail.chart')}
        buckets={days.map((d) => formatDay(d, lang, last.slice(0, 4)))}
        series={[{ key: 'opens', name: t('list.opens'), values: days.map((d) => at.get(d)?.opens ?? 0) }]}
        kind="bar"
        format={(v) => formatInt(v, lang)}
        bucketTitle={t('detail.day')}
        height={180}
      />
      <div className={css.shares}>
        {(['devices', 'apps', 'referrers'] as const).map((key) => (
          <Shares key={key} title={t(`detail.${key}`)} of={stats.opens} rows={stats[key].map((c) => ({ name: key === 'devices' ? deviceName(c.key, t) : key === 'apps' ? appName(c.key, t) : c.key || t('detail.direct'), n: c.opens }))} />
        ))}
      </div>
    </>
  )
}

function Shares({ title, of, rows }: { title: string; of: number; rows: { name: string; n: number }[] }) {
  const { lang } = usePrefs()
  return (
    <section>
      <h3 className={css.sub}>{title}</h3>
      <ul className={css.bars}>
        {rows.slice(0, 5).map((r) => (
          <li key={r.name}>
            <span className="kp-clip">{r.name}</span>
            <i aria-hidden>
              <b style={{ width: `${of > 0 ? (r.n / of) * 100 : 0}%` }} />
            </i>
            <span className="kp-num">{formatInt(r.n, lang)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Archive, ArchiveRestore, Download, ImageDown, Pencil, Users } from 'lucide-react'
import { lazy, Suspense, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import type { SceneCode } from '@/shared/api/types'
import { useChannelName } from '@/shared/lib/channels'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { addDays, formatDay } from '@/shared/lib/time'
import { Chart } from '@/shared/ui/Chart'
import { Drawer } from '@/shared/ui/Drawer'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Alert, Button } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { archiveCode, codeQuery, qrURL, restoreCode, SCENES_KEY, statsQuery } from '../queries'
import css from './scenes.module.css'

const Poster = lazy(() => import('@/shared/poster/Poster'))

/** One code: its picture to print, and who came by it. */
export function SceneDrawer({ id, onClose, onEdit }: { id: string; onClose: () => void; onEdit?: (code: SceneCode) => void }) {
  const { t } = useTranslation('scenes')
  const { lang } = usePrefs()
  const code = useQuery(codeQuery(id, lang))
  return (
    <Drawer open onClose={onClose} title={code.data?.name ?? t('title')} width={760}>
      <QueryState query={code}>{(c) => <Detail code={c} onEdit={onEdit} />}</QueryState>
    </Drawer>
  )
}

function Detail({ code, onEdit }: { code: SceneCode; onEdit?: (code: SceneCode) => void }) {
  const { t } = useTranslation(['scenes', 'common'])
  const go = useNavigate()
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const mayPeople = useCan('contact.read')
  const channel = useChannelName()
  const [poster, setPoster] = useState(false)
  const stats = useQuery({ ...statsQuery(code.id), enabled: code.month !== undefined })
  const mini = code.kind === 'mini'
  const rule = { v: 1, all: [{ event: { name: 'code.scanned', where: [{ property: 'code', op: 'is', value: code.id }] } }] }
  const refresh = () => client.invalidateQueries({ queryKey: SCENES_KEY })
  const archive = () =>
    void confirm({ title: t('view.archiveTitle', { name: code.name }), body: t(mini ? 'view.archiveMini' : 'view.archiveBody'), ok: t('view.archive'), danger: true, run: () => archiveCode(code.id) }).then((done) => {
      if (done) void refresh()
    })
  const restore = () => void restoreCode(code.id).then(refresh, (error: unknown) => toast.failed(error))
  return (
    <div className="kp-stack">
      {code.fault && code.message && <Alert type="error" showIcon title={code.message} />}
      <div className={css.head}>
        {code.ready ? <img className={css.qr} src={qrURL(code.id, mini ? 'png' : 'svg', 240)} width={148} height={148} alt={t('view.qr', { name: code.name })} /> : <div className={css.wait}>{code.fault ? t('state.fault') : t('view.making')}</div>}
        <div className="kp-stack">
          <div>
            {code.place && <div>{code.place}</div>}
            {mini && <div className="kp-muted">{t(code.page ? 'view.page' : 'view.firstPage', { page: code.page, env: t(`env.${code.env ?? 'release'}`) })}</div>}
            {code.gift && <div className="kp-muted">{t('view.gift', { gift: code.gift })}</div>}
            {code.channel && <div className="kp-muted">{channel(code.channel)}</div>}
            {code.until && (
              <div className="kp-muted">
                {t('view.until')} <DateTime at={code.until} />
              </div>
            )}
          </div>
          <div className="kp-row wrap">
            {code.ready &&
              (mini ? (['png'] as const) : (['png', 'svg'] as const)).map((f) => (
                <Button key={f} size="small" icon={<Download size={14} aria-hidden />} href={qrURL(code.id, f, 1200)} download={`${code.name}.${f}`}>
                  {t(`view.${f}`)}
                </Button>
              ))}
            {code.ready && (
              <Button size="small" icon={<ImageDown size={14} aria-hidden />} onClick={() => setPoster(true)}>
                {t('common:poster.title')}
              </Button>
            )}
          </div>
          <div className="kp-row wrap">
            {mayPeople && (
              <Button size="small" icon={<Users size={14} aria-hidden />} onClick={() => void go(`/contacts?where=${encodeURIComponent(JSON.stringify(rule))}`)}>
                {t('view.people')}
              </Button>
            )}
            {onEdit && (
              <Button size="small" icon={<Pencil size={14} aria-hidden />} onClick={() => onEdit(code)}>
                {t('view.edit')}
              </Button>
            )}
            {onEdit && code.state === 'active' && (
              <Button size="small" icon={<Archive size={14} aria-hidden />} onClick={archive}>
                {t('view.archive')}
              </Button>
            )}
            {onEdit && code.state === 'archived' && (
              <Button size="small" icon={<ArchiveRestore size={14} aria-hidden />} onClick={restore}>
                {t('view.restore')}
              </Button>
            )}
          </div>
        </div>
      </div>
      {code.month === undefined ? (
        <p className="kp-muted">{t('view.scoped')}</p>
      ) : (
        <QueryState query={stats} height={260}>
          {(s) => <Figures mini={mini} total={s.total} from={s.from} to={s.to} days={s.days ?? []} />}
        </QueryState>
      )}
      {poster && (
        <Suspense>
          <Poster codes={[{ id: code.id, name: code.name }]} picture={(one) => qrURL(one, 'png', 900)} words={t(mini ? 'view.wordsMini' : 'view.words')} onClose={() => setPoster(false)} />
        </Suspense>
      )}
    </div>
  )
}

interface FiguresProps {
  /** Nobody follows a mini-program: there are scans and people alone. */
  mini: boolean
  total: { scans: number; people: number; follows: number; left: number }
  from: string
  to: string
  days: { day: string; scans: number; follows: number }[]
}

function Figures({ mini, total, from, to, days }: FiguresProps) {
  const { t } = useTranslation('scenes')
  const { lang } = usePrefs()
  const all = useMemo(() => {
    const out: string[] = []
    for (let d = from; d <= to; d = addDays(d, 1)) out.push(d)
    return out
  }, [from, to])
  const at = new Map(days.map((d) => [d.day, d]))
  const say = (n: number) => formatInt(n, lang)
  return (
    <>
      <p className={css.figures}>
        <b>{t('view.scans', { value: say(total.scans) })}</b>
        <span>{t('view.persons', { value: say(total.people) })}</span>
        {!mini && <span>{t('view.follows', { value: say(total.follows) })}</span>}
        {!mini && <span className="kp-muted">{t('view.left', { value: say(total.left) })}</span>}
      </p>
      <Chart
        label={t(mini ? 'view.chartMini' : 'view.chart')}
        buckets={all.map((d) => formatDay(d, lang, to.slice(0, 4)))}
        series={[
          { key: 'scans', name: t('col.scans'), values: all.map((d) => at.get(d)?.scans ?? 0) },
          ...(mini ? [] : [{ key: 'follows', name: t('col.follows'), values: all.map((d) => at.get(d)?.follows ?? 0) }]),
        ]}
        kind="bar"
        format={say}
        bucketTitle={t('view.day')}
        height={200}
      />
    </>
  )
}

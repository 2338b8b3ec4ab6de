import { useQuery } from '@tanstack/react-query'
import { Pencil, Users } from 'lucide-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import type { Reply } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { addDays, formatDay } from '@/shared/lib/time'
import { useUrlRange } from '@/shared/lib/url'
import { Chart } from '@/shared/ui/Chart'
import { DateRange } from '@/shared/ui/DateRange'
import { Drawer } from '@/shared/ui/Drawer'
import { Grid } from '@/shared/ui/Grid'
import { Button } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { statsQuery } from '../queries'
import { whoIn } from '../rule'
import { Bubble, Phone } from './Phone'
import css from './replies.module.css'

/** One rule: how often it answered, by which word, and whom. */
export function ReplyDrawer({ reply, onClose, onEdit }: { reply: Reply; onClose: () => void; onEdit?: () => void }) {
  const { t } = useTranslation('replies')
  const { lang } = usePrefs()
  const go = useNavigate()
  const mayPeople = useCan('contact.read')
  const [range, setRange] = useUrlRange('30d')
  const stats = useQuery({ ...statsQuery(reply.id, range.first, range.last), enabled: reply.sent !== undefined })
  return (
    <Drawer
      open
      onClose={onClose}
      title={reply.name}
      width={760}
      extra={
        <>
          {mayPeople && (
            <Button icon={<Users size={15} aria-hidden />} onClick={() => void go(whoIn('reply.sent', [{ property: 'rule', value: reply.id }], range.first, range.last))}>
              {t('view.people')}
            </Button>
          )}
          {onEdit && (
            <Button type="primary" icon={<Pencil size={15} aria-hidden />} onClick={onEdit}>
              {t('view.edit')}
            </Button>
          )}
        </>
      }
    >
      <div className="kp-stack">
        <p className="kp-muted">{t(`kind.${reply.kind}Hint`)}</p>
        {(reply.clashes ?? []).map((c) => (
          <p key={c.word} className={css.clash}>
            {t('list.clash', { word: c.word, name: c.name })}
          </p>
        ))}
        {reply.sent === undefined ? (
          <p className="kp-muted">{t('view.scoped')}</p>
        ) : (
          <>
            <DateRange value={range} onChange={setRange} />
            <QueryState query={stats} height={260}>
              {(s) => (
              <>
                  <p className={css.figures}>
                    <b>{t('view.sent', { value: formatInt(s.sent, lang) })}</b>
                    <span>{t('view.reached', { value: formatInt(s.people, lang) })}</span>
                  </p>
                  <Days from={s.from} to={s.to} days={s.days ?? []} />
                  {(s.words ?? []).length > 0 && (
                    <Grid
                      label={t('form.words')}
                      rows={s.words ?? []}
                      rowKey={(w) => w.key}
                      columns={[
                        { key: 'word', title: t('form.words'), render: (w) => w.key },
                        { key: 'sent', title: t('view.times'), align: 'right', render: (w) => formatInt(w.sent, lang) },
                        { key: 'people', title: t('view.persons'), align: 'right', render: (w) => formatInt(w.people, lang) },
                      ]}
                    />
                  )}
              </>
              )}
            </QueryState>
          </>
        )}
        <Phone title={t('phone.account')}>
          {(reply.contents ?? []).map((c, i) => (
            <Bubble key={i} content={c} />
          ))}
        </Phone>
      </div>
    </Drawer>
  )
}

function Days({ from, to, days }: { from: string; to: string; days: { key: string; sent: number }[] }) {
  const { t } = useTranslation('replies')
  const { lang } = usePrefs()
  const all = useMemo(() => {
    const out: string[] = []
    for (let d = from; d <= to; d = addDays(d, 1)) out.push(d)
    return out
  }, [from, to])
  const at = new Map(days.map((d) => [d.key, d.sent]))
  return (
    <Chart
      label={t('view.chart')}
      buckets={all.map((d) => formatDay(d, lang, to.slice(0, 4)))}
      series={[{ key: 'sent', name: t('view.times'), values: all.map((d) => at.get(d) ?? 0) }]}
      kind="bar"
      format={(v) => formatInt(v, lang)}
      bucketTitle={t('view.day')}
      height={180}
    />
  )
}

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { MatchSettings as Settings, MatchSummary } from '@/shared/api/types'
import { formatInt, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { Drawer } from '@/shared/ui/Drawer'
import { Field, Form } from '@/shared/ui/Form'
import { useToast } from '@/shared/ui/feedback'
import { Alert, Checkbox, Select, Switch } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { shareRight } from '../compare'
import { MATCHES_KEY, saveSettings, settingsQuery } from '../queries'
import css from './MatchSettings.module.css'

const FIELDS = ['name', 'birthday', 'gender', 'phone', 'email', 'address', 'city', 'number', 'account'] as const
const SCORES = [50, 60, 70, 80, 90, 95, 99] as const
const HOURS = Array.from({ length: 24 }, (_, h) => h)

/** From which score pairs are listed, what counts, and when the list is made. */
export function MatchSettings({ open, onClose, summary }: { open: boolean; onClose: () => void; summary: MatchSummary | undefined }) {
  const { t } = useTranslation('matches')
  const query = useQuery(settingsQuery(open))
  return (
    <Drawer open={open} onClose={onClose} title={t('settings.title')}>
      <QueryState query={query} height={360}>
        {(settings) => <SettingsForm settings={settings} summary={summary} onDone={onClose} />}
      </QueryState>
    </Drawer>
  )
}

function SettingsForm({ settings, summary, onDone }: { settings: Settings; summary: MatchSummary | undefined; onDone: () => void }) {
  const { t } = useTranslation('matches')
  const may = useCan('settings.write')
  const client = useQueryClient()
  const toast = useToast()
  const [from, setFrom] = useState(settings.from)
  const save = async (values: Settings) => {
    await saveSettings(values)
    await client.invalidateQueries({ queryKey: MATCHES_KEY })
    toast.done(t('settings.saved'))
    onDone()
  }
  const scores = [...new Set([...SCORES, settings.from])].sort((a, b) => a - b)
  return (
    <>
      {!may && <Alert className={css.gap} type="info" showIcon title={t('settings.readOnly')} />}
      <Form<Settings> initial={settings} onSubmit={save} submit={t('settings.save')} disabled={!may} onChange={(v) => v.from !== undefined && setFrom(v.from)}>
        <Field name="from" required label={t('settings.from')} extra={<Meaning from={from} summary={summary} />}>
          <Select options={scores.map((s) => ({ value: s, label: t('score.orMore', { score: s }) }))} />
        </Field>
        <Field name="fields" required label={t('settings.fields')} extra={t('settings.fieldsHint')}>
          <Checkbox.Group className={css.fields} options={FIELDS.map((f) => ({ value: f, label: t(`field.${f}`) }))} />
        </Field>
        <Field name="nightly" required label={t('settings.nightly')} valuePropName="checked" extra={t('settings.nightlyHint')}>
          <Switch />
        </Field>
        <Field name="hour" required label={t('settings.hour')}>
          <Select options={HOURS.map((h) => ({ value: h, label: `${String(h).padStart(2, '0')}:00` }))} />
        </Field>
      </Form>
      {summary && <Bands summary={summary} />}
    </>
  )
}

/** What a threshold would have meant for the pairs reviewed so far. */
function Meaning({ from, summary }: { from: number; summary: MatchSummary | undefined }) {
  const { t } = useTranslation('matches')
  const { lang } = usePrefs()
  const known = summary && shareRight(summary.bands, from)
  if (!known) return t('settings.noReviews')
  return t('settings.meaning', { count: known.reviewed, share: formatPercent(known.share, lang, 0) })
}

/** By score: how many wait, and what reviews said. */
function Bands({ summary }: { summary: MatchSummary }) {
  const { t } = useTranslation('matches')
  const { lang } = usePrefs()
  return (
    <section className={css.bands}>
      <h3>{t('bands.title')}</h3>
      <p className="kp-muted">{t('bands.desc')}</p>
      <div className="kp-plain-table">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('bands.score')}</th>
              <th scope="col">{t('bands.open')}</th>
              <th scope="col">{t('bands.right')}</th>
              <th scope="col">{t('bands.wrong')}</th>
              <th scope="col">{t('bands.share')}</th>
            </tr>
          </thead>
          <tbody>
            {[...summary.bands].reverse().map((b) => (
              <tr key={b.from}>
                <th scope="row">{b.to - b.from > 1 ? `${b.from}–${b.to - 1}` : b.from}</th>
                <td>{formatInt(b.open, lang)}</td>
                <td>{formatInt(b.right, lang)}</td>
                <td>{formatInt(b.wrong, lang)}</td>
                <td>{b.right + b.wrong > 0 ? formatPercent(b.right / (b.right + b.wrong), lang, 0) : '—'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="kp-muted">
        {summary.learned.learned ? t('bands.learned', { pairs: formatInt(summary.learned.pairs, lang), twins: formatInt(summary.learned.twins, lang) }) : t('bands.general')}
        {summary.last && (
          <>
            {' '}
            {t('bands.last', { people: formatInt(summary.last.people, lang), compared: formatInt(summary.last.compared, lang) })} <DateTime at={summary.last.at} />
          </>
        )}
      </p>
    </section>
  )
}

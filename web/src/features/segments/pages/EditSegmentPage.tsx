import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { idempotencyKey } from '@/shared/api/client'
import { ApiError } from '@/shared/api/errors'
import type { Rule, Segment, SegmentInput } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { useRuleDraft } from '@/shared/rules/draft'
import { faultsOf } from '@/shared/rules/faults'
import { LazyRuleEditor } from '@/shared/rules/LazyRuleEditor'
import { parseRule } from '@/shared/rules/rule'
import { useEstimate } from '@/shared/rules/useEstimate'
import { Alert, Button, Input, Segmented } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { QueryState, useErrorText } from '@/shared/ui/states'
import { EstimatePanel } from '../components/EstimatePanel'
import css from '../components/segments.module.css'
import { WhyRule } from '../components/Why'
import { createSegment, segmentQuery, SEGMENTS_KEY, updateSegment } from '../queries'
import { templateRule, TEMPLATES } from '../templates'

const KINDS = ['dynamic', 'static'] as const

/** Makes a segment, or changes one: the rule at the left, whom it means at the right. */
export default function EditSegmentPage() {
  const { id } = useParams()
  return id === undefined ? <Begin /> : <Load id={id} />
}

function Begin() {
  const { t } = useTranslation('segments')
  const [params] = useSearchParams()
  const template = TEMPLATES.find((k) => k === params.get('template'))
  const rule = template ? templateRule(template) : parseRule(params.get('rule'))
  return <Edit rule={rule} name={template ? t(`template.${template}.name`) : ''} kind={params.get('kind') === 'static' ? 'static' : 'dynamic'} />
}

function Load({ id }: { id: string }) {
  const { lang } = usePrefs()
  // Once, and not again while somebody writes.
  const query = useQuery({ ...segmentQuery(id, lang), refetchInterval: false })
  return <QueryState query={query} height={400}>{(s) => <Edit segment={s} rule={s.rule as Rule | undefined} name={s.name} kind={s.kind} />}</QueryState>
}

function Edit({ segment, rule, name: firstName, kind: firstKind }: { segment?: Segment; rule: Rule | undefined; name: string; kind: SegmentInput['kind'] }) {
  const { t } = useTranslation('segments')
  const go = useNavigate()
  const client = useQueryClient()
  const say = useErrorText()
  const draft = useRuleDraft(rule)
  const estimate = useEstimate(draft)
  const [name, setName] = useState(firstName)
  const [note, setNote] = useState(segment?.note ?? '')
  const [folder, setFolder] = useState(segment?.folder ?? '')
  const [kind, setKind] = useState(firstKind)
  const [person, setPerson] = useState<string>()
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const [key] = useState(idempotencyKey)
  const dynamic = kind === 'dynamic'
  const of = (path: string) => (failure instanceof ApiError ? failure.fields.find((f) => f.path === path || f.path === `body.${path}`)?.detail : undefined)
  const faults = failure instanceof ApiError && estimate.faults.size === 0 ? faultsOf(failure, draft.at) : estimate.faults
  const save = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      const words = { name: name.trim(), note: note.trim(), folder: folder.trim() }
      const saved = segment
        ? await updateSegment(segment.id, { ...words, ...(dynamic && JSON.stringify(draft.rule) !== JSON.stringify(segment.rule) ? { rule: draft.rule } : {}) })
        : (await createSegment({ ...words, kind, ...(dynamic ? { rule: draft.rule } : {}) }, key)).segment
      await client.invalidateQueries({ queryKey: SEGMENTS_KEY })
      void client.invalidateQueries({ queryKey: ['contacts', 'fields'] }) // the list of segments is one of their choices
      void go(`/segments/${saved.id}`)
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  const ready = name.trim() !== '' && (!dynamic || (draft.rule !== undefined && estimate.error === undefined))
  const title = segment ? t('edit.title', { name: segment.name }) : t('edit.new')
  const fields = failure instanceof ApiError ? failure.fields : []
  const elsewhere = failure !== undefined && fields.length === 0
  return (
    <Page>
      <PageHead
        title={title}
        back={segment ? { to: `/segments/${segment.id}`, label: segment.name } : { to: '/segments', label: t('title') }}
        extra={
          <>
            <Button onClick={() => void go(segment ? `/segments/${segment.id}` : '/segments')}>{t('edit.cancel')}</Button>
            <Button type="primary" disabled={!ready} loading={busy} onClick={() => void save()}>
              {t('edit.save')}
            </Button>
          </>
        }
      />
      {elsewhere && <Alert type="error" showIcon role="alert" title={say(failure).detail} />}
      <div className={css.edit}>
        <div className="kp-stack">
          <Panel>
            <div className={css.words}>
              <Word label={t('form.name')} value={name} onChange={setName} max={60} fault={of('name')} focus={!segment} />
              <Word label={t('form.folder')} value={folder} onChange={setFolder} max={60} fault={of('folder')} optional />
              <Word label={t('form.note')} value={note} onChange={setNote} max={500} fault={of('note')} optional />
              {!segment && (
                <div className={css.field}>
                  {t('form.kind')}
                  <Segmented aria-label={t('form.kind')} value={kind} onChange={setKind} options={KINDS.map((k) => ({ value: k, label: t(`kind.${k}`) }))} />
                </div>
              )}
            </div>
          </Panel>
          {dynamic ? (
            <Panel title={t('edit.rule')} desc={t('edit.ruleDesc')}>
              <LazyRuleEditor draft={draft} faults={faults} />
              {draft.off > 0 && <Alert className={css.off} type="info" showIcon title={t('edit.off', { count: draft.off })} />}
            </Panel>
          ) : (
            <Panel>
              <p className="kp-muted">{t('edit.static')}</p>
            </Panel>
          )}
        </div>
        {dynamic && (
          <div className={css.aside}>
            <EstimatePanel estimate={estimate} />
            {draft.rule && (
              <Panel title={t('why.ruleTitle')} desc={t('why.desc')}>
                <WhyRule rule={draft.rule} person={person} onPerson={setPerson} />
              </Panel>
            )}
          </div>
        )}
      </div>
    </Page>
  )
}

function Word({ label, value, onChange, max, fault, optional, focus }: { label: string; value: string; onChange: (v: string) => void; max: number; fault?: string; optional?: boolean; focus?: boolean }) {
  const { t } = useTranslation('segments')
  return (
    <label className={css.field}>
      <span>
        {label} {optional && <small className="kp-muted">{t('form.optional')}</small>}
      </span>
      <Input aria-label={label} value={value} maxLength={max} status={fault ? 'error' : undefined} autoFocus={focus} onChange={(e) => onChange(e.target.value)} />
      {fault && (
        <small className={css.bad} role="alert">
          {fault}
        </small>
      )}
    </label>
  )
}

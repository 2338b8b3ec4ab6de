import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { KindRule, KindUsage } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { Chip } from '@/shared/ui/chips'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Grid, type Column } from '@/shared/ui/Grid'
import { Alert, Button, Input } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { DateTime, None } from '@/shared/ui/values'
import { beyond } from '../limits'
import { IDENTITY_KEY, kindsQuery, setLimit, usageQuery } from '../queries'

/** Every kind of identity, strongest first, with what holds of it. */
export function Kinds() {
  const { t } = useTranslation('identity')
  const { lang } = usePrefs()
  const may = useCan('identity.write')
  const kinds = useQuery(kindsQuery())
  const usage = useQuery(usageQuery())
  const [changing, setChanging] = useState<KindRule>()
  const of = (kind: string) => usage.data?.items.find((u) => u.kind === kind)
  const columns: Column<KindRule>[] = [
    { key: 'kind', title: t('kinds.kind'), render: (k) => <Name rule={k} /> },
    { key: 'strength', title: t('kinds.strength'), render: (k) => <Chip tone={k.weak ? 'neutral' : k.limit === 1 ? 'good' : 'info'}>{t(k.weak ? 'kinds.weak' : k.limit === 1 ? 'kinds.unique' : 'kinds.strong')}</Chip> },
    { key: 'priority', title: t('kinds.priority'), align: 'right', render: (k) => <span className="kp-num">{k.priority}</span> },
    { key: 'form', title: t('kinds.form'), render: (k) => t(`form.${k.form}`) },
    {
      key: 'limit',
      title: t('kinds.limit'),
      align: 'right',
      render: (k) => (
        <>
          <b className="kp-num">{k.limit === 0 ? t('kinds.any') : formatInt(k.limit, lang)}</b>
          {k.changed && <small className="kp-muted"> {t('kinds.was', { limit: k.default === 0 ? t('kinds.any') : formatInt(k.default, lang) })}</small>}
        </>
      ),
    },
    { key: 'stored', title: t('kinds.stored'), align: 'right', render: (k) => (usage.data ? <span className="kp-num">{formatInt(of(k.kind)?.identities ?? 0, lang)}</span> : <None />) },
    {
      key: 'beyond',
      title: t('kinds.beyond'),
      align: 'right',
      render: (k) => {
        const n = beyond(of(k.kind), k.limit)
        return n > 0 ? <Chip tone="warn">{t('kinds.people', { count: n })}</Chip> : <None />
      },
    },
    {
      key: 'do',
      title: '',
      align: 'right',
      render: (k) =>
        may && (
          <Button size="small" aria-label={t('kinds.changeOf', { kind: codeText('contacts', 'identity', k.kind) })} onClick={() => setChanging(k)}>
            {t('kinds.change')}
          </Button>
        ),
    },
  ]
  return (
    <Panel flush title={t('kinds.title')} desc={t('kinds.desc')} extra={usage.data && <small className="kp-muted">{t('kinds.counted')} <DateTime at={usage.data.countedAt} /></small>}>
      <QueryState query={kinds} height={420}>
        {(list) => <Grid<KindRule, string> label={t('kinds.title')} rows={list} columns={columns} rowKey={(k) => k.kind} />}
      </QueryState>
      {changing && <ChangeLimit rule={changing} usage={of(changing.kind)} onClose={() => setChanging(undefined)} />}
    </Panel>
  )
}

function Name({ rule: k }: { rule: KindRule }) {
  const { t } = useTranslation('identity')
  return (
    <span>
      <b className="kp-strong">{codeText('contacts', 'identity', k.kind)}</b> {k.personal && <Chip tone="violet">{t('kinds.personal')}</Chip>}
      <small className="kp-muted" style={{ display: 'block' }}>
        {k.kind}
        {k.custom && ` · ${t('kinds.custom')}`}
      </small>
    </span>
  )
}

function ChangeLimit({ rule, usage, onClose }: { rule: KindRule; usage: KindUsage | undefined; onClose: () => void }) {
  const { t } = useTranslation(['identity', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const [typed, setTyped] = useState(String(rule.limit))
  const limit = /^\d+$/.test(typed.trim()) ? Number(typed) : undefined
  const over = limit === undefined ? 0 : beyond(usage, limit)
  const save = async () => {
    const done = await setLimit(rule.kind, limit ?? -1)
    await client.invalidateQueries({ queryKey: IDENTITY_KEY })
    toast.done(done.beyond > 0 ? t('limit.doneBeyond', { count: done.beyond }) : t('limit.done'))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('limit.title', { kind: codeText('contacts', 'identity', rule.kind) })}>
      <p className="kp-muted">{t('limit.lead')}</p>
      <Form<{ limit: string }> initial={{ limit: String(rule.limit) }} submit={t('common:action.save')} extra={<Button onClick={onClose}>{t('common:action.cancel')}</Button>} onChange={(v) => setTyped(v.limit ?? '')} onSubmit={save}>
        <Field name="limit" required label={t('limit.most')} extra={t(rule.weak ? 'limit.hintWeak' : 'limit.hint')} rules={[{ required: true, pattern: /^\s*\d+\s*$/, message: t('limit.number') }]}>
          <Input inputMode="numeric" maxLength={4} autoComplete="off" />
        </Field>
        {limit === 1 && !rule.weak && <Alert type="info" title={t('limit.one')} />}
        {over > 0 && <Alert type="warning" title={t('limit.over', { count: over })} />}
      </Form>
    </Dialog>
  )
}

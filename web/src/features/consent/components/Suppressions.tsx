import { useQueryClient } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { Suppression } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { useUrlText } from '@/shared/lib/url'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { FilterBar, SearchBox } from '@/shared/ui/FilterBar'
import { Field, Form } from '@/shared/ui/Form'
import { Button, Checkbox, Input, Segmented } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { CONSENT_KEY, suppress, suppressionsPage, unsuppress } from '../queries'

/** Addresses that nobody may be reached by, whoever has them. */
export function Suppressions() {
  const { t } = useTranslation('consent')
  const may = useCan('consent.write')
  const [q, setQ] = useUrlText('q')
  const list = useCursorList(suppressionsPage(q))
  const [adding, setAdding] = useState(false)
  const [removing, setRemoving] = useState<Suppression>()
  const columns: Column<Suppression>[] = [
    { key: 'address', title: t('suppress.address'), render: (s) => <b className="kp-strong kp-num">{s.masked}</b> },
    { key: 'kind', title: t('suppress.kind'), render: (s) => t(`suppress.${s.kind}`) },
    { key: 'reach', title: t('suppress.reach'), render: (s) => (s.whole ? t('suppress.whole') : t('suppress.only')) },
    { key: 'reason', title: t('suppress.reason'), clip: true, render: (s) => s.reason || t(`source.${s.source as 'erasure'}`) },
    { key: 'by', title: t('batch.by'), render: (s) => s.by },
    { key: 'at', title: t('recent.at'), render: (s) => <DateTime at={s.createdAt} /> },
    {
      key: 'do',
      title: '',
      align: 'right',
      render: (s) =>
        may && (
          <Button size="small" danger onClick={() => setRemoving(s)}>
            {t('suppress.remove')}
          </Button>
        ),
    },
  ]
  const add = may && (
    <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setAdding(true)}>
      {t('suppress.add')}
    </Button>
  )
  return (
    <Panel flush title={t('suppress.title')} desc={t('suppress.desc')} extra={add}>
      <FilterBar active={q !== ''} onClear={() => setQ('')}>
        <SearchBox value={q} onChange={setQ} placeholder={t('suppress.search')} />
      </FilterBar>
      <DataTable label={t('suppress.title')} list={list} columns={columns} rowKey={(s) => s.id} filtered={q !== ''} onClearFilters={() => setQ('')} empty={<Empty title={t('suppress.empty')} desc={t('suppress.emptyDesc')} action={add} />} />
      <AddSuppression open={adding} onClose={() => setAdding(false)} />
      <RemoveSuppression which={removing} onClose={() => setRemoving(undefined)} />
    </Panel>
  )
}

interface Values {
  kind: Suppression['kind']
  value: string
  whole: boolean
  reason: string
}

function AddSuppression({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation(['consent', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const save = async (v: Values) => {
    await suppress(v)
    toast.done(t('suppress.added'))
    await client.invalidateQueries({ queryKey: CONSENT_KEY })
    onClose()
  }
  return (
    <Dialog open={open} onClose={onClose} title={t('suppress.add')}>
      <Form<Values> initial={{ kind: 'phone', value: '', whole: false, reason: '' }} submit={t('suppress.add')} extra={<Button onClick={onClose}>{t('common:action.cancel')}</Button>} onSubmit={save}>
        <Field name="kind" label={t('suppress.kind')} rules={[{ required: true }]}>
          <Segmented
            options={[
              { value: 'phone', label: t('suppress.phone') },
              { value: 'email', label: t('suppress.email') },
            ]}
          />
        </Field>
        <Field name="value" label={t('suppress.address')} extra={t('suppress.addressHint')} rules={[{ required: true, whitespace: true, message: t('suppress.needed') }]}>
          <Input maxLength={256} autoComplete="off" />
        </Field>
        <Field name="whole" valuePropName="checked">
          <Checkbox>{t('suppress.wholeLabel')}</Checkbox>
        </Field>
        <Reason />
      </Form>
    </Dialog>
  )
}

function Reason() {
  const { t } = useTranslation('consent')
  return (
    <Field name="reason" label={t('suppress.reason')} rules={[{ required: true, whitespace: true, message: t('change.reasonNeeded') }]}>
      <Input maxLength={500} />
    </Field>
  )
}

function RemoveSuppression({ which, onClose }: { which: Suppression | undefined; onClose: () => void }) {
  const { t } = useTranslation(['consent', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  return (
    <Dialog open={which !== undefined} onClose={onClose} title={t('suppress.removeTitle', { what: which?.masked ?? '' })}>
      <p className="kp-muted">{t('suppress.removeBody')}</p>
      <Form<{ reason: string }>
        submit={t('suppress.remove')}
        extra={<Button onClick={onClose}>{t('common:action.cancel')}</Button>}
        onSubmit={async ({ reason }) => {
          if (!which) return
          await unsuppress(which.id, reason)
          toast.done(t('suppress.removed'))
          await client.invalidateQueries({ queryKey: CONSENT_KEY })
          onClose()
        }}
      >
        <Reason />
      </Form>
    </Dialog>
  )
}

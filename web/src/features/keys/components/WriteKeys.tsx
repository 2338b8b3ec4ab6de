import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { wholeList } from '@/shared/api/cursor'
import type { WriteKey } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { CopyText, SecretOnce } from '@/shared/ui/copy'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Dialog } from '@/shared/ui/Drawer'
import { useConfirm } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Button, Input } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, TimeAgo } from '@/shared/ui/values'
import { createWriteKey, revokeWriteKey, writeKeysQuery } from '../queries'
import { KeyState } from './KeyState'

/** The keys with which facts come in. */
export function WriteKeys() {
  const { t } = useTranslation('keys')
  const may = useCan('keys.write')
  const client = useQueryClient()
  const confirm = useConfirm()
  const query = useQuery(writeKeysQuery())
  const [creating, setCreating] = useState(false)
  const refresh = () => client.invalidateQueries({ queryKey: writeKeysQuery().queryKey })
  const revoke = (k: WriteKey) =>
    confirm({ title: t('write.revokeTitle', { name: k.name }), body: t('write.revokeBody'), ok: t('write.revoke'), danger: true, run: () => revokeWriteKey(k.id) }).then((done) =>
      done ? refresh() : undefined,
    )
  const columns: Column<WriteKey>[] = [
    { key: 'name', title: t('column.name'), render: (k) => <b className="kp-strong">{k.name}</b> },
    { key: 'key', title: t('column.key'), render: (k) => <code>{k.prefix}…</code> },
    { key: 'source', title: t('column.source'), render: (k) => k.source },
    { key: 'state', title: t('column.state'), render: (k) => <KeyState of={k} /> },
    { key: 'used', title: t('column.used'), render: (k) => (k.lastUsedAt ? <TimeAgo at={k.lastUsedAt} /> : <span className="kp-muted">{t('neverUsed')}</span>) },
    { key: 'by', title: t('column.by'), render: (k) => k.createdBy.name },
    { key: 'created', title: t('column.created'), render: (k) => <DateTime at={k.createdAt} /> },
    {
      key: 'do',
      title: '',
      align: 'right',
      render: (k) =>
        may && !k.revokedAt && (
          <Button size="small" danger onClick={() => void revoke(k)}>
            {t('write.revoke')}
          </Button>
        ),
    },
  ]
  const add = may && (
    <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setCreating(true)}>
      {t('write.new')}
    </Button>
  )
  return (
    <Panel flush title={t('write.title')} desc={t('write.desc')} extra={add}>
      <DataTable label={t('write.title')} list={wholeList(query)} columns={columns} rowKey={(k) => k.id} empty={<Empty title={t('write.empty')} desc={t('write.emptyDesc')} action={add} />} skeletonRows={3} />
      <NewWriteKey open={creating} onClose={() => setCreating(false)} onMade={refresh} />
    </Panel>
  )
}

function NewWriteKey({ open, onClose, onMade }: { open: boolean; onClose: () => void; onMade: () => Promise<void> }) {
  const { t } = useTranslation('keys')
  const [secret, setSecret] = useState<string>()
  const close = () => {
    setSecret(undefined)
    onClose()
  }
  return (
    <Dialog open={open} onClose={close} title={secret ? t('write.made') : t('write.new')} closable={!secret} width={secret ? 640 : 460}>
      {secret ? (
        <div className="kp-stack">
          <SecretOnce secret={secret} label={t('write.title')} />
          <FirstFact secret={secret} />
          <div className="kp-row">
            <Button type="primary" onClick={close}>
              {t('done')}
            </Button>
          </div>
        </div>
      ) : (
        <Form<{ name: string; source?: string }>
          submit={t('create')}
          extra={<Button onClick={close}>{t('cancel')}</Button>}
          onSubmit={async ({ name, source }) => {
            const made = await createWriteKey({ name: name.trim(), source: source?.trim() || undefined })
            setSecret(made.secret)
            await onMade()
          }}
        >
          <Field name="name" label={t('write.name')} extra={t('write.nameHint')} rules={[{ required: true, whitespace: true, message: t('write.nameNeeded') }]}>
            <Input maxLength={80} autoFocus />
          </Field>
          <Field name="source" label={t('write.source')} extra={t('write.sourceHint')}>
            <Input maxLength={80} />
          </Field>
        </Form>
      )}
    </Dialog>
  )
}

/** The command that sends a first fact with the new key, ready to copy. */
function FirstFact({ secret }: { secret: string }) {
  const { t } = useTranslation('keys')
  const command = `curl -u ${secret}: -H 'Content-Type: application/json' ${window.location.origin}/v1/track -d '{"userId":"u1","event":"tea.tasted","properties":{"kind":"龙井","cups":3}}'`
  return (
    <div>
      <p className="kp-muted">{t('write.how')}</p>
      <CopyText text={command} label={t('write.how')} />
    </div>
  )
}

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { wholeList } from '@/shared/api/cursor'
import type { Token } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { SecretOnce } from '@/shared/ui/copy'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Dialog } from '@/shared/ui/Drawer'
import { useConfirm } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Button, Input, Select } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, TimeAgo } from '@/shared/ui/values'
import { EXPIRIES, expiresAt, type Expiry } from '../expiry'
import { createToken, revokeToken, rolesQuery, tokensQuery } from '../queries'
import { KeyState } from './KeyState'

/** The credentials of programs. */
export function Tokens() {
  const { t } = useTranslation('keys')
  const may = useCan('keys.write')
  const client = useQueryClient()
  const confirm = useConfirm()
  const query = useQuery(tokensQuery())
  const roles = useQuery(rolesQuery())
  const [creating, setCreating] = useState(false)
  const roleName = (id: string) => roles.data?.items.find((r) => r.id === id)?.name ?? id
  const refresh = () => client.invalidateQueries({ queryKey: tokensQuery().queryKey })
  const revoke = (k: Token) =>
    confirm({ title: t('token.revokeTitle', { name: k.name }), body: t('token.revokeBody'), ok: t('token.revoke'), danger: true, run: () => revokeToken(k.id) }).then((done) =>
      done ? refresh() : undefined,
    )
  const columns: Column<Token>[] = [
    { key: 'name', title: t('column.name'), render: (k) => <b className="kp-strong">{k.name}</b> },
    { key: 'key', title: t('column.key'), render: (k) => <code>{k.prefix}…</code> },
    { key: 'role', title: t('column.role'), render: (k) => roleName(k.role) },
    { key: 'state', title: t('column.state'), render: (k) => <KeyState of={k} /> },
    { key: 'expires', title: t('column.expires'), render: (k) => (k.expiresAt ? <DateTime at={k.expiresAt} dateOnly /> : <span className="kp-muted">{t('forever')}</span>) },
    { key: 'used', title: t('column.used'), render: (k) => (k.lastUsedAt ? <TimeAgo at={k.lastUsedAt} /> : <span className="kp-muted">{t('neverUsed')}</span>) },
    { key: 'by', title: t('column.by'), render: (k) => k.createdBy.name },
    {
      key: 'do',
      title: '',
      align: 'right',
      render: (k) =>
        may && !k.revokedAt && (
          <Button size="small" danger onClick={() => void revoke(k)}>
            {t('token.revoke')}
          </Button>
        ),
    },
  ]
  const add = may && (
    <Button icon={<Plus size={15} aria-hidden />} onClick={() => setCreating(true)}>
      {t('token.new')}
    </Button>
  )
  return (
    <Panel flush title={t('token.title')} desc={t('token.desc')} extra={add}>
      <DataTable label={t('token.title')} list={wholeList(query)} columns={columns} rowKey={(k) => k.id} empty={<Empty title={t('token.empty')} desc={t('token.emptyDesc')} action={add} />} skeletonRows={3} />
      <NewToken open={creating} onClose={() => setCreating(false)} onMade={refresh} roles={(roles.data?.items ?? []).map((r) => ({ value: r.id, label: r.name }))} />
    </Panel>
  )
}

interface NewProps {
  open: boolean
  onClose: () => void
  onMade: () => Promise<void>
  roles: { value: string; label: string }[]
}

function NewToken({ open, onClose, onMade, roles }: NewProps) {
  const { t } = useTranslation('keys')
  const [secret, setSecret] = useState<string>()
  const close = () => {
    setSecret(undefined)
    onClose()
  }
  return (
    <Dialog open={open} onClose={close} title={secret ? t('token.made') : t('token.new')} closable={!secret} width={secret ? 600 : 460}>
      {secret ? (
        <div className="kp-stack">
          <SecretOnce secret={secret} label={t('token.title')} />
          <div className="kp-row">
            <Button type="primary" onClick={close}>
              {t('done')}
            </Button>
          </div>
        </div>
      ) : (
        <Form<{ name: string; role: string; expiry: Expiry }>
          initial={{ expiry: 'd90' }}
          submit={t('create')}
          extra={<Button onClick={close}>{t('cancel')}</Button>}
          onSubmit={async ({ name, role, expiry }) => {
            const made = await createToken({ name: name.trim(), role, expiresAt: expiresAt(expiry, Date.now()) })
            setSecret(made.secret)
            await onMade()
          }}
        >
          <Field name="name" label={t('token.name')} rules={[{ required: true, whitespace: true, message: t('token.nameNeeded') }]}>
            <Input maxLength={80} autoFocus />
          </Field>
          <Field name="role" label={t('token.role')} rules={[{ required: true, message: t('token.roleNeeded') }]}>
            <Select options={roles} />
          </Field>
          <Field name="expiry" label={t('token.expires')}>
            <Select options={EXPIRIES.map((e) => ({ value: e, label: t(`expiry.${e}`) }))} />
          </Field>
        </Form>
      )}
    </Dialog>
  )
}

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { History, Pencil } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Contact } from '@/shared/api/types'
import { attributeName, attributesQuery, type AttributeShape } from '@/shared/lib/attributes'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { AttributeInput } from '@/shared/ui/AttributeInput'
import { AttributeValue } from '@/shared/ui/AttributeValue'
import { Chip } from '@/shared/ui/chips'
import { Button, Popover } from '@/shared/ui/kit'
import { Masked } from '@/shared/ui/Masked'
import { Panel } from '@/shared/ui/Panel'
import { ErrorState, Loading, useErrorText } from '@/shared/ui/states'
import { DateTime, None } from '@/shared/ui/values'
import { historyQuery, setAttribute, unmaskAttribute } from '../queries'
import { profileRows, type ProfileRow } from '../rows'
import css from './ContactAttributes.module.css'

/** What is known of a contact by attributes: each can be changed where it stands, and tells its history. */
export function ContactAttributes({ contact }: { contact: Contact }) {
  const { t } = useTranslation('attributes')
  const list = useQuery(attributesQuery())
  const may = useCan('contact.write')
  const builtins: AttributeShape[] = [
    { key: 'gender', type: 'enum', nameZh: t('builtin.gender'), nameEn: t('builtin.gender'), options: (['male', 'female', 'other'] as const).map((id) => ({ id, label: t(`gender.${id}`) })) },
    { key: 'birthday', type: 'date', nameZh: t('builtin.birthday'), nameEn: t('builtin.birthday') },
    { key: 'city', type: 'text', nameZh: t('builtin.city'), nameEn: t('builtin.city') },
  ]
  const groups = list.data ? profileRows(contact, builtins, list.data.items) : []
  return (
    <Panel title={t('profile.title')}>
      {list.error ? (
        <ErrorState error={list.error} onRetry={() => void list.refetch()} />
      ) : !list.data ? (
        <Loading height={120} />
      ) : (
        groups.map((g) => (
          <div key={g.group} className={css.group}>
            {g.group && <h4>{g.group}</h4>}
            <dl>
              {g.rows.map((r) => (
                <Row key={r.of.key} contact={contact} row={r} may={may} />
              ))}
            </dl>
          </div>
        ))
      )}
    </Panel>
  )
}

function Row({ contact, row, may }: { contact: Contact; row: ProfileRow; may: boolean }) {
  const { t } = useTranslation('attributes')
  const { lang } = usePrefs()
  const [editing, setEditing] = useState(false)
  const label = row.defined ? attributeName(row.of, lang) : row.of.key
  return (
    <div data-attribute={row.of.key}>
      <dt title={row.of.key}>
        {label}
        {row.of.required && <span title={t('required')}> *</span>}
      </dt>
      <dd>
        {editing ? (
          <Editing contact={contact} row={row} label={label} onDone={() => setEditing(false)} />
        ) : (
          <span className={css.value}>
            <span>
              {row.masked ? (
                <Masked value={String(row.value)} label={label} reveal={(reason) => unmaskAttribute(contact.id, row.of.key, reason)} />
              ) : (
                <AttributeValue of={row.unfit ? undefined : row.of} value={row.value} />
              )}
              {row.unfit && (
                <>
                  {' '}
                  <Chip tone="warn">{t('profile.unfit')}</Chip>
                </>
              )}
            </span>
            <span className={css.tools}>
              {may && row.defined && (
                <Button type="text" size="small" icon={<Pencil size={13} aria-hidden />} aria-label={t('profile.edit', { name: label })} onClick={() => setEditing(true)} />
              )}
              {row.defined && (
                <Popover trigger="click" destroyOnHidden title={t('profile.historyOf', { name: label })} content={<ChangeList id={contact.id} of={row.of} />}>
                  <Button type="text" size="small" icon={<History size={13} aria-hidden />} aria-label={t('profile.historyOf', { name: label })} />
                </Popover>
              )}
            </span>
          </span>
        )}
      </dd>
    </div>
  )
}

function Editing({ contact, row, label, onDone }: { contact: Contact; row: ProfileRow; label: string; onDone: () => void }) {
  const { t } = useTranslation(['attributes', 'common'])
  const client = useQueryClient()
  const say = useErrorText()
  const [value, setValue] = useState<unknown>(row.masked ? null : row.value)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const save = async () => {
    setBusy(true)
    try {
      const changed = await setAttribute(contact.id, row.of.key, value ?? null)
      client.setQueryData(['contacts', 'one', contact.id], changed)
      void client.invalidateQueries({ queryKey: ['contacts'] })
      onDone()
    } catch (error) {
      setProblem(say(error).detail)
      setBusy(false)
    }
  }
  return (
    <form
      className={css.editing}
      onSubmit={(e) => {
        e.preventDefault()
        void save()
      }}
      onKeyDown={(e) => e.key === 'Escape' && onDone()}
    >
      <AttributeInput of={row.of} value={value} onChange={setValue} autoFocus aria-label={label} />
      {problem && <p role="alert">{problem}</p>}
      <span className="kp-row">
        <Button type="primary" size="small" htmlType="submit" loading={busy}>
          {t('common:action.save')}
        </Button>
        <Button size="small" onClick={onDone}>
          {t('common:action.cancel')}
        </Button>
      </span>
    </form>
  )
}

function ChangeList({ id, of }: { id: string; of: AttributeShape }) {
  const { t } = useTranslation('attributes')
  const query = useQuery(historyQuery(id, of.key))
  if (query.error) return <ErrorState error={query.error} />
  if (!query.data) return <Loading height={60} />
  if (query.data.items.length === 0) return <p className="kp-muted">{t('profile.noHistory')}</p>
  return (
    <ol className={css.changes}>
      {query.data.items.map((c, i) => (
        <li key={i}>
          <span>
            {c.old === undefined ? <None /> : c.masked ? String(c.old) : <AttributeValue of={of} value={c.old} />}
            {' → '}
            {c.new === undefined ? <None /> : c.masked ? String(c.new) : <AttributeValue of={of} value={c.new} />}
          </span>
          <small className="kp-muted">
            {t(`source.${c.kind}`)} {c.by?.name} · <DateTime at={c.at} />
          </small>
        </li>
      ))}
    </ol>
  )
}

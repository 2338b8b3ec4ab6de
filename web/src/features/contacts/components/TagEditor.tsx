import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus, X } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Contact } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Field, Form } from '@/shared/ui/Form'
import { AutoComplete, Button, Input, Popover } from '@/shared/ui/kit'
import { DateTime } from '@/shared/ui/values'
import { tagsQuery } from '@/shared/rules/queries'
import { changeTags, createTag } from '../queries'
import css from './TagEditor.module.css'
import { TagSelect } from './TagSelect'
import { useContactChange } from './useContactChange'

/** The tags of a contact, each removable, and a way to add more. */
export function TagEditor({ contact }: { contact: Contact }) {
  const { t } = useTranslation('contacts')
  const mayWrite = useCan('contact.write')
  const [open, setOpen] = useState(false)
  const change = useContactChange(contact.id, (body: { add?: string[]; remove?: string[] }) => changeTags(contact.id, body))
  return (
    <ul className={css.tags} aria-label={t('col.tags')} aria-busy={change.isPending}>
      {contact.tags.map((tag) => (
        <li key={tag.id} className="kp-tag">
          <i style={{ background: tag.color }} aria-hidden />
          <Popover trigger={['hover', 'focus']} content={<Given tag={tag} />}>
            <span tabIndex={0}>{tag.name}</span>
          </Popover>
          {mayWrite && (
            <button type="button" className={css.off} disabled={change.isPending} aria-label={t('tags.removeOne', { tag: tag.name })} onClick={() => change.mutate({ remove: [tag.id] })}>
              <X size={12} aria-hidden />
            </button>
          )}
        </li>
      ))}
      {contact.tags.length === 0 && !mayWrite && <li className="kp-muted">{t('tags.noneYet')}</li>}
      {mayWrite && (
        <li>
          <Popover
            open={open}
            onOpenChange={setOpen}
            trigger="click"
            placement="bottomLeft"
            destroyOnHidden
            content={<AddTags without={contact.tags.map((x) => x.id)} add={(ids) => change.mutateAsync({ add: ids })} onClose={() => setOpen(false)} />}
          >
            <button type="button" className={css.add} aria-expanded={open}>
              <Plus size={12} aria-hidden />
              {t('tags.add')}
            </button>
          </Popover>
        </li>
      )}
    </ul>
  )
}

/** Who or what gave a tag, when, and by which work. */
function Given({ tag }: { tag: Contact['tags'][number] }) {
  const { t } = useTranslation('contacts')
  const mayManage = useCan('tag.write')
  const g = tag.given
  return (
    <div className={css.given}>
      <b>{tag.group}</b>
      {g && (
        <>
          <span>{[t(`tags.source.${g.source}`), g.by].filter(Boolean).join(' · ')}</span>
          <DateTime at={g.at} />
          {g.weight !== undefined && <span>{t('tags.weight', { weight: g.weight })}</span>}
          {g.ends && (
            <span className="kp-muted">
              {t('tags.ends')} <DateTime at={g.ends} />
            </span>
          )}
          {(g.source === 'rule' || g.source === 'score') && mayManage && <Link to={`/tags?automation=${tag.id}`}>{t('tags.why')}</Link>}
          {g.import && <Link to={`/imports/${g.import.id}`}>{g.import.name || t('tags.theImport')}</Link>}
          {g.run && <Link to={`/tags?run=${g.run.id}`}>{g.run.name}</Link>}
        </>
      )}
    </div>
  )
}

interface AddProps {
  without: string[]
  add: (ids: string[]) => Promise<unknown>
  onClose: () => void
}

/** Picks existing tags or makes a new one, and puts them on. */
function AddTags({ without, add, onClose }: AddProps) {
  const { t } = useTranslation('contacts')
  const mayManage = useCan('tag.write')
  const [creating, setCreating] = useState(false)
  return (
    <div className={css.panel}>
      {creating ? (
        <NewTag add={add} onClose={onClose} onBack={() => setCreating(false)} />
      ) : (
        <Form<{ tags: string[] }>
          submit={t('tags.put')}
          onSubmit={async ({ tags }) => {
            await add(tags)
            onClose()
          }}
          extra={
            mayManage && (
              <Button type="link" onClick={() => setCreating(true)}>
                {t('tags.new')}
              </Button>
            )
          }
        >
          <Field name="tags" label={t('tags.pick')} rules={[{ required: true, message: t('tags.pickOne') }]}>
            <TagSelect without={without} autoFocus closes />
          </Field>
        </Form>
      )}
    </div>
  )
}

function NewTag({ add, onClose, onBack }: Pick<AddProps, 'add' | 'onClose'> & { onBack: () => void }) {
  const { t } = useTranslation(['contacts', 'common'])
  const client = useQueryClient()
  const groups = useQuery(tagsQuery()).data?.groups ?? []
  return (
    <Form<{ name: string; group: string }>
      submit={t('tags.createAndPut')}
      initial={{ group: groups[0]?.name ?? '' }}
      onSubmit={async ({ name, group }) => {
        const tag = await createTag({ name: name.trim(), group: group.trim() })
        void client.invalidateQueries({ queryKey: ['tags'] })
        await add([tag.id])
        onClose()
      }}
      extra={
        <Button type="text" onClick={onBack}>
          {t('common:action.cancel')}
        </Button>
      }
    >
      <Field name="name" label={t('tags.name')} rules={[{ required: true, whitespace: true, message: t('tags.nameNeeded') }]}>
        <Input maxLength={40} autoFocus autoComplete="off" />
      </Field>
      <Field name="group" label={t('tags.group')} rules={[{ required: true, whitespace: true, message: t('tags.groupNeeded') }]}>
        <AutoComplete options={groups.map((g) => ({ value: g.name }))} placeholder={t('tags.groupExample')} />
      </Field>
    </Form>
  )
}

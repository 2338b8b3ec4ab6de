import { Pencil } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Contact } from '@/shared/api/types'
import { useChannelName } from '@/shared/lib/channels'
import { useCan } from '@/shared/lib/session'
import { Chip } from '@/shared/ui/chips'
import { CopyText } from '@/shared/ui/copy'
import { Dialog } from '@/shared/ui/Drawer'
import { Field, Form } from '@/shared/ui/Form'
import { Button, Input, Select, Tooltip } from '@/shared/ui/kit'
import { NameMark, None } from '@/shared/ui/values'
import { patchContact } from '../queries'
import { useStaff } from '@/shared/rules/useStaff'
import css from './ProfileHead.module.css'
import { StageChip } from './StageChip'
import { TagEditor } from './TagEditor'
import { useContactChange } from './useContactChange'
import { useContactName } from './useContactColumns'
import { ValueStrip } from './ValueStrip'

/** Who this is, at a glance; children stand before the owner. */
export function ProfileHead({ contact, children }: { contact: Contact; children?: ReactNode }) {
  const { t } = useTranslation('contacts')
  const mayWrite = useCan('contact.write')
  const channelName = useChannelName()
  const name = useContactName()(contact)
  const [renaming, setRenaming] = useState(false)
  return (
    <section className={`kp-panel ${css.head}`}>
      <div className={css.who}>
        <NameMark name={name} size={56} />
        <div className={css.text}>
          <div className={css.name}>
            <h1>{name}</h1>
            <Chip tone={contact.kind === 'person' ? 'info' : 'neutral'}>{t(`kind.${contact.kind}`)}</Chip>
            {contact.stage && <StageChip stage={contact.stage} />}
            {contact.pool && <StageChip stage={contact.pool} />}
            {mayWrite && (
              <Tooltip title={t('profile.rename')}>
                <Button type="text" size="small" aria-label={t('profile.rename')} icon={<Pencil size={14} aria-hidden />} onClick={() => setRenaming(true)} />
              </Tooltip>
            )}
          </div>
          <div className={css.meta}>
            {contact.city && <span>{contact.city}</span>}
            {contact.channel && <span>{t('profile.cameBy', { channel: channelName(contact.channel) })}</span>}
            {contact.import && <Link to={`/imports/${contact.import.id}`}>{t('profile.import', { name: contact.import.name })}</Link>}
            <CopyText text={contact.id} label={t('profile.id')} />
          </div>
          <TagEditor contact={contact} />
        </div>
        {children}
        <label className={css.owner}>
          <span>{t('col.owner')}</span>
          {mayWrite ? <Owner contact={contact} /> : <b>{contact.owner?.name ?? <None />}</b>}
        </label>
      </div>
      <ValueStrip contact={contact} />
      <Rename contact={contact} open={renaming} onClose={() => setRenaming(false)} />
    </section>
  )
}

function Owner({ contact }: { contact: Contact }) {
  const { t } = useTranslation('contacts')
  const staff = useStaff()
  const change = useContactChange(contact.id, (ownerId: string) => patchContact(contact.id, { ownerId }))
  const { owner } = contact
  const options = staff.map((u) => ({ value: u.id, label: u.name }))
  if (owner && !options.some((o) => o.value === owner.id)) options.unshift({ value: owner.id, label: owner.name })
  return (
    <Select
      allowClear
      aria-label={t('col.owner')}
      placeholder={t('profile.noOwner')}
      style={{ width: 148 }}
      loading={change.isPending}
      disabled={change.isPending}
      value={owner?.id}
      onChange={(id: string | undefined) => change.mutate(id ?? '')}
      options={options}
      showSearch={{ optionFilterProp: 'label' }}
    />
  )
}

function Rename({ contact, open, onClose }: { contact: Contact; open: boolean; onClose: () => void }) {
  const { t } = useTranslation(['contacts', 'common'])
  const change = useContactChange(contact.id, (name: string) => patchContact(contact.id, { name }))
  return (
    <Dialog open={open} onClose={onClose} title={t('profile.rename')}>
      <Form<{ name: string }>
        submit={t('common:action.save')}
        initial={{ name: contact.name }}
        onSubmit={async ({ name }) => {
          await change.mutateAsync(name.trim())
          onClose()
        }}
      >
        <Field name="name" label={t('col.name')} rules={[{ required: true, whitespace: true, message: t('create.nameNeeded') }]}>
          <Input maxLength={100} autoFocus autoComplete="off" />
        </Field>
      </Form>
    </Dialog>
  )
}

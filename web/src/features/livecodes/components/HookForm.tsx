import { useTranslation } from 'react-i18next'
import type { LiveCodeInput } from '@/shared/api/types'
import { Input, Switch } from '@/shared/ui/kit'
import css from './livecodes.module.css'
import { Attachments, Fault, type FaultOf } from './WelcomeEditor'

type Hook = LiveCodeInput['hook']

/** What newcomers get, once each. */
export function HookForm({ value, onChange, faultOf }: { value: Hook; onChange: (next: Hook) => void; faultOf: FaultOf }) {
  const { t } = useTranslation('livecodes')
  return (
    <div className="kp-stack">
      <label className={css.toggle}>
        <Switch size="small" checked={value !== undefined} onChange={(on) => onChange(on ? { name: '', text: '' } : undefined)} />
        {t('hook.on')}
      </label>
      {value && (
        <>
          <div className={css.words}>
            <label className={css.field}>
              {t('hook.name')}
              <Input value={value.name} maxLength={40} onChange={(e) => onChange({ ...value, name: e.target.value })} />
              <Fault text={faultOf('hook.name')} />
            </label>
          </div>
          <div className={css.field}>
            {t('hook.text')}
            <Input.TextArea rows={3} aria-label={t('hook.text')} value={value.text ?? ''} maxLength={1000} onChange={(e) => onChange({ ...value, text: e.target.value })} />
            <Fault text={faultOf('hook.text')} />
          </div>
          <Attachments
            value={value.attachment ? [value.attachment] : []}
            room={1}
            path="hook.attachments"
            faultOf={(p) => faultOf(p.replace('hook.attachments[0]', 'hook.attachment'))}
            onChange={(list) => onChange({ ...value, attachment: list[0] })}
          />
        </>
      )}
    </div>
  )
}

import { useTranslation } from 'react-i18next'
import type { LandingChoices, LandingThanks } from '@/shared/api/types'
import { Input, Segmented, Select } from '@/shared/ui/kit'
import { Labelled } from './Labelled'
import css from './pages.module.css'
import type { FaultOf } from './useFaults'

interface Props {
  value: LandingThanks
  onChange: (next: LandingThanks) => void
  choices: LandingChoices
  faultOf: FaultOf
}

const WAYS = ['stay', 'lead'] as const

/** What is shown once the form was sent: words, a gift, a code to scan; or where it leads instead. */
export function ThanksForm({ value, onChange, choices, faultOf }: Props) {
  const { t } = useTranslation('pages')
  const leads = value.redirect !== undefined
  const put = (patch: Partial<LandingThanks>) => onChange({ ...value, ...patch })
  const gift = (patch: Partial<NonNullable<LandingThanks['gift']>>) => {
    const next = { name: value.gift?.name ?? '', text: value.gift?.text ?? '', url: value.gift?.url, ...patch }
    put({ gift: next.name || next.text || next.url ? next : undefined })
  }
  return (
    <div className="kp-stack">
      <div>
        <Segmented<(typeof WAYS)[number]>
          aria-label={t('thanks.title')}
          value={leads ? 'lead' : 'stay'}
          onChange={(way) => onChange(way === 'lead' ? { redirect: '' } : { title: value.title, text: value.text })}
          options={WAYS.map((w) => ({ value: w, label: t(`thanks.${w}`) }))}
        />
      </div>
      {leads ? (
        <Labelled label={t('thanks.redirect')} fault={faultOf('design.thanks.redirect')}>
          <Input value={value.redirect} maxLength={2000} inputMode="url" aria-label={t('thanks.redirect')} onChange={(e) => put({ redirect: e.target.value })} />
        </Labelled>
      ) : (
        <>
          <div className={css.words}>
            <Labelled label={t('thanks.heading')} fault={faultOf('design.thanks.title')}>
              <Input value={value.title ?? ''} maxLength={200} placeholder={t('thanks.headingHint')} aria-label={t('thanks.heading')} onChange={(e) => put({ title: e.target.value })} />
            </Labelled>
            <Labelled label={t('thanks.code')} hint={t('thanks.codeHint')} fault={faultOf('design.thanks.liveCode')}>
              <Select allowClear showSearch optionFilterProp="label" value={value.liveCode || undefined} aria-label={t('thanks.code')} options={choices.codes.map((c) => ({ value: c.id, label: c.name }))} onChange={(id?: string) => put({ liveCode: id ?? '' })} />
            </Labelled>
          </div>
          <Labelled label={t('thanks.text')} fault={faultOf('design.thanks.text')}>
            <textarea className={css.text} rows={2} maxLength={1000} value={value.text ?? ''} aria-label={t('thanks.text')} onChange={(e) => put({ text: e.target.value })} />
          </Labelled>
          <h4 className={css.sub}>{t('gift.title')}</h4>
          <p className={css.hint}>{t('gift.desc')}</p>
          <div className={css.words}>
            <Labelled label={t('gift.name')} fault={faultOf('design.thanks.gift.name')}>
              <Input value={value.gift?.name ?? ''} maxLength={60} aria-label={t('gift.name')} onChange={(e) => gift({ name: e.target.value })} />
            </Labelled>
            <Labelled label={t('gift.url')} fault={faultOf('design.thanks.gift.url')}>
              <Input value={value.gift?.url ?? ''} maxLength={2000} inputMode="url" aria-label={t('gift.url')} onChange={(e) => gift({ url: e.target.value })} />
            </Labelled>
          </div>
          <Labelled label={t('gift.text')} fault={faultOf('design.thanks.gift.text')}>
            <textarea className={css.text} rows={2} maxLength={1000} value={value.gift?.text ?? ''} aria-label={t('gift.text')} onChange={(e) => gift({ text: e.target.value })} />
          </Labelled>
        </>
      )}
    </div>
  )
}

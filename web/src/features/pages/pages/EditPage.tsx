import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams } from 'react-router'
import { idempotencyKey } from '@/shared/api/client'
import { ApiError } from '@/shared/api/errors'
import type { LandingChoices, LandingInput, LandingPage, LandingThanks } from '@/shared/api/types'
import { useChannelOptions } from '@/shared/lib/channels'
import { usePrefs } from '@/shared/lib/prefs'
import { useTimezone } from '@/shared/lib/session'
import { addDays, dayOf, dayStart } from '@/shared/lib/time'
import { Alert, Button, Input, Segmented, Select } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { QueryState, useErrorText } from '@/shared/ui/states'
import { BlockList } from '../components/BlockList'
import { Labelled } from '../components/Labelled'
import css from '../components/pages.module.css'
import { PhonePreview } from '../components/PhonePreview'
import { ThanksForm } from '../components/ThanksForm'
import { useFaults, type FaultOf } from '../components/useFaults'
import { firstDesign, keyed, plain, slugOf, type Keyed } from '../blocks'
import { choicesQuery, createPage, pageQuery, PAGES_KEY, publishPage, updatePage } from '../queries'

/** Makes a landing page, or changes one: what it shows at the left, a phone at the right. */
export default function EditPage() {
  const { id } = useParams()
  const { lang } = usePrefs()
  const choices = useQuery(choicesQuery(lang))
  return <QueryState query={choices}>{(c) => (id === undefined ? <Edit choices={c} first={{ title: '', slug: '', design: firstDesign(lang) }} /> : <Load id={id} choices={c} />)}</QueryState>
}

function Load({ id, choices }: { id: string; choices: LandingChoices }) {
  // Once, and not again while somebody writes.
  const query = useQuery({ ...pageQuery(id), refetchOnWindowFocus: false, staleTime: Infinity })
  return <QueryState query={query}>{(p) => <Edit choices={choices} page={p} first={p} />}</QueryState>
}

type Settings = Omit<LandingInput, 'design'>

function Edit({ choices, page, first }: { choices: LandingChoices; page?: LandingPage; first: LandingInput }) {
  const { t } = useTranslation(['pages', 'common'])
  const go = useNavigate()
  const client = useQueryClient()
  const say = useErrorText()
  const [settings, setSettings] = useState<Settings>(() => ({
    title: first.title,
    slug: first.slug,
    channel: first.channel,
    source: first.source,
    medium: first.medium,
    campaign: first.campaign,
    expiresAt: first.expiresAt,
  }))
  const [look, setLook] = useState({ lang: first.design.lang, color: first.design.color })
  const [blocks, setBlocks] = useState<Keyed[]>(() => keyed(first.design.blocks ?? []))
  const [thanks, setThanks] = useState<LandingThanks>(first.design.thanks)
  const [busy, setBusy] = useState<'save' | 'publish'>()
  const [failure, setFailure] = useState<unknown>()
  const [key, setKey] = useState(idempotencyKey)
  const faultOf = useFaults(failure)
  const design = { ...look, blocks: plain(blocks), thanks }
  const home = page ? `/landing-pages/${page.id}` : '/landing-pages'
  const put = (patch: Partial<Settings>) => setSettings((old) => ({ ...old, ...patch }))
  const save = async (publish: boolean) => {
    setBusy(publish ? 'publish' : 'save')
    setFailure(undefined)
    let made: LandingPage | undefined
    try {
      const body: LandingInput = { ...settings, design }
      made = await (page ? updatePage(page.id, body) : createPage(body, key))
      if (publish) await publishPage(made.id)
      await client.invalidateQueries({ queryKey: PAGES_KEY })
      void go(`/landing-pages/${made.id}`)
    } catch (error) {
      setFailure(error)
      setKey(idempotencyKey()) // what was refused may be sent again, changed
      setBusy(undefined)
      if (made && !page) void go(`/landing-pages/${made.id}/edit`, { replace: true }) // saved, but not fit to be published yet
    }
  }
  const fields = failure instanceof ApiError ? failure.fields : []
  const ready = settings.title.trim() !== '' && settings.slug.trim() !== ''
  return (
    <Page>
      <PageHead
        title={page ? t('form.edit', { title: page.title }) : t('new')}
        back={page ? { to: home, label: page.title } : { to: home, label: t('title') }}
        extra={
          <>
            <Button onClick={() => void go(home)}>{t('common:action.cancel')}</Button>
            <Button loading={busy === 'save'} disabled={!ready || busy !== undefined} onClick={() => void save(false)}>
              {t('form.saveDraft')}
            </Button>
            <Button type="primary" loading={busy === 'publish'} disabled={!ready || busy !== undefined} onClick={() => void save(true)}>
              {t('form.publish')}
            </Button>
          </>
        }
      />
      {failure !== undefined && <Alert type="error" showIcon role="alert" style={{ marginBottom: 12 }} title={fields.length > 0 ? fields.map((f) => f.detail).join(' ') : say(failure).detail} />}
      <div className={css.edit}>
        <div className="kp-stack">
          <Basics settings={settings} put={put} fresh={!page} faultOf={faultOf} />
          <Panel
            title={t('form.content')}
            desc={t('form.contentDesc')}
            extra={
              <div className="kp-row">
                <Segmented<'zh-CN' | 'en'>
                  size="small"
                  aria-label={t('form.lang')}
                  value={look.lang === 'en' ? 'en' : 'zh-CN'}
                  onChange={(lang) => setLook({ ...look, lang })}
                  options={(['zh-CN', 'en'] as const).map((l) => ({ value: l, label: t(`common:language.${l}`) }))}
                />
                <input type="color" className={css.color} aria-label={t('form.color')} title={t('form.color')} value={look.color || '#2f5d7c'} onChange={(e) => setLook({ ...look, color: e.target.value })} />
              </div>
            }
          >
            <BlockList blocks={blocks} onChange={setBlocks} choices={choices} faultOf={faultOf} />
          </Panel>
          <Panel title={t('thanks.title')} desc={t('thanks.desc')}>
            <ThanksForm value={thanks} onChange={setThanks} choices={choices} faultOf={faultOf} />
          </Panel>
        </div>
        <PhonePreview title={settings.title} design={design} />
      </div>
    </Page>
  )
}

function Basics({ settings, put, fresh, faultOf }: { settings: Settings; put: (patch: Partial<Settings>) => void; fresh: boolean; faultOf: FaultOf }) {
  const { t } = useTranslation('pages')
  const zone = useTimezone()
  const channels = useChannelOptions()
  const [own, setOwn] = useState(!fresh)
  const title = (text: string) => put({ title: text, ...(own ? {} : { slug: slugOf(text) }) })
  return (
    <Panel>
      <div className={css.words}>
        <Labelled label={t('form.title')} fault={faultOf('title')}>
          <Input value={settings.title} maxLength={80} autoFocus={fresh} aria-label={t('form.title')} onChange={(e) => title(e.target.value)} />
        </Labelled>
        <Labelled label={t('form.slug')} fault={faultOf('slug')}>
          <Input
            value={settings.slug}
            maxLength={60}
            prefix="/p/"
            aria-label={t('form.slug')}
            onChange={(e) => {
              setOwn(true)
              put({ slug: e.target.value.toLowerCase() })
            }}
          />
        </Labelled>
        <Labelled label={t('form.channel')} hint={t('form.channelHint')} fault={faultOf('channel')}>
          <Select allowClear showSearch optionFilterProp="label" aria-label={t('form.channel')} value={settings.channel || undefined} options={channels} onChange={(channel?: string) => put({ channel: channel ?? '' })} />
        </Labelled>
        <Labelled label={t('form.lastDay')} hint={t('form.lastDayHint')} fault={faultOf('expiresAt')}>
          <Input
            type="date"
            aria-label={t('form.lastDay')}
            value={settings.expiresAt ? dayOf(Date.parse(settings.expiresAt) - 1, zone) : ''}
            onChange={(e) => put({ expiresAt: e.target.value ? dayStart(addDays(e.target.value, 1), zone).toISOString() : undefined })}
          />
        </Labelled>
        {(['source', 'medium', 'campaign'] as const).map((f) => (
          <Labelled key={f} label={t(`form.${f}`)} fault={faultOf(f)}>
            <Input value={settings[f] ?? ''} maxLength={100} aria-label={t(`form.${f}`)} onChange={(e) => put({ [f]: e.target.value })} />
          </Labelled>
        ))}
      </div>
    </Panel>
  )
}

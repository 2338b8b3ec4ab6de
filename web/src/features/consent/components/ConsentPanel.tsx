import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Ban, History, Link2, PencilLine } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Consents } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { useCan } from '@/shared/lib/session'
import { StatusDot } from '@/shared/ui/chips'
import { Alert, Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { CONSENT_KEY, consentsQuery, purposesQuery } from '../queries'
import { linesOf, usePurposeName, type Line } from '../words'
import { ChangeConsent } from './ChangeConsent'
import css from './ConsentPanel.module.css'
import { ConsentHistory } from './ConsentHistory'
import { PreferenceLink } from './PreferenceLink'

type Open = 'change' | 'history' | 'link'

/** On a contact's page: what the person agreed to, in words, since when and by what. */
export function ConsentPanel({ contact }: { contact: string }) {
  const { t } = useTranslation('consent')
  const may = useCan('consent.write')
  const client = useQueryClient()
  const query = useQuery({ ...consentsQuery(contact), refetchOnWindowFocus: true })
  const purposes = useQuery(purposesQuery())
  const name = usePurposeName(purposes.data?.items)
  const [open, setOpen] = useState<Open>()
  const close = () => setOpen(undefined)
  const refresh = () => client.invalidateQueries({ queryKey: CONSENT_KEY })
  return (
    <Panel title={t('panel.title')}>
      <QueryState query={query} height={260}>
        {(data) => (
          <>
            <Notes data={data} />
            <Matrix data={data} name={name} />
            <div className={css.actions}>
              {may && (
                <Button size="small" icon={<PencilLine size={14} aria-hidden />} onClick={() => setOpen('change')}>
                  {t('panel.change')}
                </Button>
              )}
              <Button size="small" icon={<History size={14} aria-hidden />} onClick={() => setOpen('history')}>
                {t('panel.history', { count: data.rows })}
              </Button>
              {may && (
                <Button size="small" icon={<Link2 size={14} aria-hidden />} onClick={() => setOpen('link')}>
                  {t('panel.link')}
                </Button>
              )}
            </div>
            <ChangeConsent open={open === 'change'} onClose={close} contact={contact} purposes={purposes.data?.items ?? []} stopped={data.doNotContact !== undefined} onDone={refresh} />
            <ConsentHistory open={open === 'history'} onClose={close} contact={contact} purposes={purposes.data?.items} />
            <PreferenceLink open={open === 'link'} onClose={close} contact={contact} links={data.links} onDone={refresh} />
          </>
        )}
      </QueryState>
    </Panel>
  )
}

function Notes({ data }: { data: Consents }) {
  const { t } = useTranslation('consent')
  return (
    <>
      {data.doNotContact && (
        <Alert
          className="kp-form-alert"
          type="error"
          showIcon
          icon={<Ban size={16} aria-hidden />}
          title={
            <>
              {t('panel.stopped')} · {codeText('consent', 'source', data.doNotContact.source)} · <DateTime at={data.doNotContact.at} />
            </>
          }
        />
      )}
      {data.suppressed.length > 0 && <Alert className="kp-form-alert" type="warning" showIcon title={t('panel.suppressed', { what: data.suppressed.map((s) => s.masked).join('、') })} />}
    </>
  )
}

function Matrix({ data, name }: { data: Consents; name: (id: string) => string }) {
  return (
    <div className={css.list}>
      {data.purposes.map((p) => (
        <section key={p.purpose} data-purpose={p.purpose}>
          <h3>{name(p.purpose)}</h3>
          {linesOf(p.cells).map((line) => (
            <OneLine key={line.channels.join()} line={line} />
          ))}
        </section>
      ))}
    </div>
  )
}

function OneLine({ line }: { line: Line }) {
  const tone = line.allowed ? 'good' : line.reason === 'unknown' ? 'neutral' : 'bad'
  const use = line.channels.length === 1 && line.channels[0] === 'all'
  return (
    <div className={css.line}>
      <StatusDot tone={tone}>{codeText('consent', 'reason', line.reason)}</StatusDot>
      <span>{use ? '' : line.channels.map((c) => codeText('consent', 'channel', c)).join('、')}</span>
      {line.since && (
        <small>
          <DateTime at={line.since} />
          {line.source && ` · ${codeText('consent', 'source', line.source)}`}
          {line.by && ` · ${line.by}`}
        </small>
      )}
    </div>
  )
}

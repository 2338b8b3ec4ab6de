import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus, Webhook as WebhookIcon } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { wholeList } from '@/shared/api/cursor'
import type { NewWebhook, Webhook } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { TimeAgo } from '@/shared/ui/values'
import { HookState } from '../components/HookState'
import { SecretDialog } from '../components/SecretDialog'
import { WebhookForm } from '../components/WebhookForm'
import css from '../components/webhooks.module.css'
import { SegmentNames } from '../components/SegmentNames'
import { createWebhook, WEBHOOKS_KEY, webhooksQuery } from '../queries'
import { hostOf } from '../webhook'

/** The other systems that are told who comes into segments and who leaves. */
export default function WebhooksPage() {
  const { t } = useTranslation('webhooks')
  const { lang } = usePrefs()
  const may = useCan('keys.write')
  const client = useQueryClient()
  const go = useNavigate()
  const query = useQuery(webhooksQuery(lang))
  const [creating, setCreating] = useState(false)
  const [made, setMade] = useState<NewWebhook>()
  const columns: Column<Webhook>[] = [
    {
      key: 'name',
      title: t('col.name'),
      width: 260,
      clip: true,
      render: (w) => (
        <span className={css.hook}>
          {w.name}
          <small>{hostOf(w.url)}</small>
        </span>
      ),
    },
    { key: 'state', title: t('col.state'), render: (w) => <HookState webhook={w} /> },
    { key: 'segments', title: t('col.segments'), render: (w) => <SegmentNames ids={w.segments} max={2} /> },
    { key: 'sent', title: t('col.sent'), align: 'right', render: (w) => formatInt(w.sent, lang) },
    { key: 'waiting', title: t('col.waiting'), align: 'right', render: (w) => formatInt(w.waiting, lang) },
    { key: 'dead', title: t('col.dead'), align: 'right', render: (w) => <span className={w.dead > 0 ? 'kp-strong' : undefined}>{formatInt(w.dead, lang)}</span> },
    { key: 'sentAt', title: t('col.sentAt'), render: (w) => (w.sentAt ? <TimeAgo at={w.sentAt} /> : <span className="kp-muted">{t('never')}</span>) },
  ]
  const add = may && (
    <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setCreating(true)}>
      {t('new')}
    </Button>
  )
  return (
    <Page>
      <PageHead title={t('title')} desc={t('desc')} extra={query.data && query.data.items.length > 0 && add} />
      <Panel flush>
        <DataTable
          label={t('title')}
          list={wholeList(query)}
          columns={columns}
          rowKey={(w) => w.id}
          rowHref={(w) => `/webhooks/${w.id}`}
          empty={<Empty icon={<WebhookIcon size={26} strokeWidth={1.5} aria-hidden />} title={t('empty')} desc={t('emptyDesc')} action={add} />}
          skeletonRows={3}
        />
      </Panel>
      <WebhookForm
        open={creating}
        onClose={() => setCreating(false)}
        save={async (input) => {
          const answer = await createWebhook(input)
          setCreating(false)
          setMade(answer)
          await client.invalidateQueries({ queryKey: WEBHOOKS_KEY })
        }}
      />
      <SecretDialog
        secret={made?.secret}
        title={t('secret.made')}
        onClose={() => {
          if (made) void go(`/webhooks/${made.webhook.id}`)
          setMade(undefined)
        }}
      />
    </Page>
  )
}

-- For what we may use data or talk to people. `body` holds names and description;
-- `channels` are those it may use, '' for a purpose that is about data alone.
create table consent_purposes (
  id text not null primary key,
  body text not null,
  basis text not null,
  channels text not null,
  separate bigint not null,
  self_grant bigint not null,
  place bigint not null,
  archived bigint not null default 0,
  builtin bigint not null default 0,
  updated_at bigint not null
);
-- What people were shown, by version. A version is never changed.
create table consent_wordings (
  purpose text not null,
  version bigint not null,
  zh text not null,
  en text not null,
  effective_at bigint not null,
  created_at bigint not null,
  by_id text not null default '',
  by_name text not null default '',
  primary key (purpose, version)
);

-- The ledger. `contact` is the number the row was written for; `voids` is the row
-- that this one takes back. `proof_enc` may be emptied, `proof_mark` stays.
create table consent_ledger (
-- +sqlite
  seq integer not null primary key,
-- +end
-- +postgres
  seq bigint not null primary key,
-- +end
  id text not null,
  contact bigint not null,
  purpose text not null,
  channel text not null,
  state text not null,
  at bigint not null,
  recorded_at bigint not null,
  source text not null,
  wording bigint not null,
  batch text not null,
  voids bigint not null,
  proof_enc text not null,
  proof_mark text not null,
  hash text not null
);
create unique index consent_ledger_by_id on consent_ledger (id);
create index consent_ledger_by_contact on consent_ledger (contact, seq);
create index consent_ledger_by_batch on consent_ledger (batch, seq) where batch <> '';
create index consent_ledger_by_voids on consent_ledger (voids) where voids <> 0;
-- The end of the chain, and what its last check found.
create table consent_head (
  name text not null primary key,
  seq bigint not null,
  hash text not null,
  checked_at bigint not null default 0,
  checked text not null default ''
);
insert into consent_head (name, seq, hash) values ('ledger', 0, '');

-- What holds now, by living contact and purpose. `granted` and `withdrawn` have a
-- bit for each channel, `cells` says since when and by which row. `shown` is that
-- of the contact: 1 people, 2 visitors.
create table consent_state (
  contact bigint not null,
  purpose text not null,
  shown bigint not null,
  granted bigint not null,
  withdrawn bigint not null,
  at bigint not null,
  cells text not null,
  primary key (contact, purpose)
-- +sqlite
) without rowid;
-- +end
-- +postgres
);
-- +end
create index consent_state_by_purpose on consent_state (purpose, shown, granted, withdrawn, contact);

-- Addresses that nobody may be reached by, whoever has them. `whole` keeps the
-- person who has it from being reached by any channel.
create table consent_suppressions (
  id text not null primary key,
  kind text not null,
  lookup text not null,
  masked text not null,
  whole bigint not null,
  reason text not null,
  source text not null,
  created_at bigint not null,
  by_id text not null,
  by_name text not null
);
create unique index consent_suppressions_by_lookup on consent_suppressions (kind, lookup);
create index consent_suppressions_by_time on consent_suppressions (created_at, id);

-- Links to the preference page. `id` is random and is what the address holds.
create table consent_links (
  id text not null primary key,
  contact bigint not null,
  created_at bigint not null,
  by_id text not null,
  by_name text not null,
  expires_at bigint not null,
  revoked_at bigint not null default 0,
  used_at bigint not null default 0
);
create index consent_links_by_contact on consent_links (contact, created_at);

-- Changes of many people at once.
create table consent_batches (
  id text not null primary key,
  purpose text not null,
  channel text not null,
  state text not null,
  reason text not null,
  job text not null,
  undo_job text not null default '',
  written bigint not null default 0,
  voided bigint not null default 0,
  created_at bigint not null,
  undone_at bigint not null default 0,
  by_id text not null,
  by_name text not null
);
create index consent_batches_by_time on consent_batches (created_at, id);

-- The purposes that a company in China begins with.
insert into consent_purposes (id, body, basis, channels, separate, self_grant, place, builtin, updated_at)
  values ('service', '{"name":{"zh":"服务通知","en":"Service notices"},"description":{"zh":"订单、物流、售后与账户安全的必要通知","en":"Notices that orders, deliveries, after-sales service and account safety need"}}', 'contract', 'wecom,official_account,mini_program,sms,email,phone,in_app', 0, 1, 10, 1, 0);
insert into consent_wordings (purpose, version, zh, en, effective_at, created_at)
  values ('service', 1, '为履行您与我们的订单和服务约定，我们会向您发送订单、物流、售后与账户安全通知。', 'To carry out your orders and our service agreement we send you notices about orders, deliveries, after-sales service and the safety of your account.', 0, 0);
insert into consent_purposes (id, body, basis, channels, separate, self_grant, place, builtin, updated_at)
  values ('marketing', '{"name":{"zh":"营销推送","en":"Marketing"},"description":{"zh":"新品、优惠与活动信息","en":"News of products, offers and events"}}', 'consent', 'wecom,official_account,mini_program,sms,email,phone,in_app', 0, 1, 20, 1, 0);
insert into consent_wordings (purpose, version, zh, en, effective_at, created_at)
  values ('marketing', 1, '我同意接收新品、优惠和活动信息。我可以随时按渠道退订，退订不影响订单与售后服务。', 'I agree to receive news of products, offers and events. I can opt out by channel at any time; my orders and service stay as they are.', 0, 0);
insert into consent_purposes (id, body, basis, channels, separate, self_grant, place, builtin, updated_at)
  values ('recommendation', '{"name":{"zh":"个性化推荐","en":"Personalised recommendations"},"description":{"zh":"根据浏览与购买记录推荐商品和内容","en":"Products and content chosen by what was viewed and bought"}}', 'consent', '', 1, 1, 30, 1, 0);
insert into consent_wordings (purpose, version, zh, en, effective_at, created_at)
  values ('recommendation', 1, '我同意根据我的浏览和购买记录为我推荐商品与内容。关闭后我仍会看到不针对个人特征的内容。', 'I agree that products and content are recommended to me by what I viewed and bought. When it is off I still see content that is not chosen by my traits.', 0, 0);
insert into consent_purposes (id, body, basis, channels, separate, self_grant, place, builtin, updated_at)
  values ('surveys', '{"name":{"zh":"调研邀请","en":"Surveys"},"description":{"zh":"满意度与产品调研","en":"Satisfaction and product surveys"}}', 'consent', 'wecom,official_account,mini_program,sms,email,phone,in_app', 0, 1, 40, 1, 0);
insert into consent_wordings (purpose, version, zh, en, effective_at, created_at)
  values ('surveys', 1, '我愿意收到满意度与产品调研邀请，是否参加由我决定。', 'I am willing to be invited to satisfaction and product surveys. Whether I take part is up to me.', 0, 0);
insert into consent_purposes (id, body, basis, channels, separate, self_grant, place, builtin, updated_at)
  values ('third_party', '{"name":{"zh":"向第三方提供","en":"Sharing with third parties"},"description":{"zh":"向合作方提供个人信息（单独同意）","en":"Giving personal data to partners (separate consent)"}}', 'consent', '', 1, 1, 50, 1, 0);
insert into consent_wordings (purpose, version, zh, en, effective_at, created_at)
  values ('third_party', 1, '我单独同意将我的姓名、联系方式和订单信息提供给为我配送、支付和提供会员权益的合作方，接收方名单见隐私政策。', 'I separately agree that my name, contact details and order data are given to the partners that deliver, take payment and provide member benefits; the privacy policy lists who they are.', 0, 0);
insert into consent_purposes (id, body, basis, channels, separate, self_grant, place, builtin, updated_at)
  values ('sensitive', '{"name":{"zh":"敏感个人信息","en":"Sensitive personal data"},"description":{"zh":"处理健康、肤质、精确位置等敏感信息（单独同意）","en":"Use of sensitive data such as health, skin or precise location (separate consent)"}}', 'consent', '', 1, 1, 60, 1, 0);
insert into consent_wordings (purpose, version, zh, en, effective_at, created_at)
  values ('sensitive', 1, '我单独同意处理我主动提供的敏感个人信息（如肤质、健康状况、精确位置），仅用于我所要求的服务。', 'I separately agree that sensitive data I gave myself, such as skin, health or precise location, is used, only for the service I asked for.', 0, 0);
insert into consent_purposes (id, body, basis, channels, separate, self_grant, place, builtin, updated_at)
  values ('minor', '{"name":{"zh":"未成年人信息","en":"Data of minors"},"description":{"zh":"处理不满十四周岁未成年人信息（监护人同意）","en":"Use of data of children under fourteen (consent of a guardian)"}}', 'consent', '', 1, 0, 70, 1, 0);
insert into consent_wordings (purpose, version, zh, en, effective_at, created_at)
  values ('minor', 1, '我是该未成年人的监护人，同意处理其个人信息，用途限于我为其选择的服务。', 'I am the guardian of this child and agree that the child''s personal data is used for the services I choose for it.', 0, 0);

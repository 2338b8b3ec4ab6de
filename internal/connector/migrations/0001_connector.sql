-- Accounts at platforms. settings is a JSON object of texts; secrets one too,
-- sealed as a whole. generation counts changes of either. fault is what the
-- platform said last against the credentials, findings the doctor's last list.
create table connector_accounts (
  id text not null primary key,
  kind text not null,
  name text not null,
  state text not null,
  settings text not null,
  secrets_enc text not null,
  generation bigint not null,
  fault text not null,
  fault_at bigint not null,
  findings text not null,
  checked_at bigint not null,
  by_id text not null,
  by_name text not null,
  created_at bigint not null,
  changed_at bigint not null
);
create unique index connector_accounts_by_name on connector_accounts (kind, name);
-- Tokens that all nodes share. lease is until when one of them fetches; version
-- goes up with each token, so that a fetch is done once.
create table connector_tokens (
  account text not null,
  name text not null,
  generation bigint not null,
  version bigint not null,
  token_enc text not null,
  expires_at bigint not null,
  renew_at bigint not null,
  lease bigint not null,
  primary key (account, name)
);
-- What was taken of a quota in one stretch of time. subject is a keyed hash, '' the
-- account; bucket is when the stretch began, gone when nobody asks for it any more.
create table connector_quotas (
  account text not null,
  name text not null,
  per text not null,
  subject text not null,
  bucket bigint not null,
  used bigint not null,
  gone bigint not null,
  primary key (account, name, per, subject, bucket)
);
create index connector_quotas_by_gone on connector_quotas (gone);
-- Quotas that the platform itself said are used up.
create table connector_halts (
  account text not null,
  name text not null,
  subject text not null,
  until bigint not null,
  primary key (account, name, subject)
);
-- What was told. state is waiting, held (its account is paused), done, ignored or dead; urgent is 1 until the
-- handlers that cannot wait have run. key and subject are keyed hashes; body is
-- sealed with the readable subject. holder works on it until lease.
create table connector_inbox (
  n bigint not null primary key,
  id text not null,
  account text not null,
  kind text not null,
  key_index text not null,
  subject_index text not null,
  name text not null,
  state text not null,
  urgent bigint not null,
  body_enc text not null,
  happened_at bigint not null,
  at bigint not null,
  next_at bigint not null,
  lease bigint not null,
  holder text not null,
  tries bigint not null,
  urgent_tries bigint not null,
  repeats bigint not null,
  fault text not null,
  urgent_fault text not null,
  done_at bigint not null
);
create unique index connector_inbox_by_key on connector_inbox (account, key_index);
create unique index connector_inbox_by_id on connector_inbox (id);
create index connector_inbox_urgent on connector_inbox (n) where urgent = 1;
create index connector_inbox_by_state on connector_inbox (state, n);
create index connector_inbox_by_subject on connector_inbox (account, subject_index, state, n);
create index connector_inbox_by_done on connector_inbox (state, done_at);
-- How calls to an account's address went, by outcome: verified, proved (the address
-- itself), or the code of the refusal.
create table connector_calls (
  account text not null,
  outcome text not null,
  count bigint not null,
  first_at bigint not null,
  last_at bigint not null,
  primary key (account, outcome)
);
-- Messages that were sent, by the sender's own key. state is claimed before the
-- platform is called.
create table connector_sends (
  account text not null,
  key_index text not null,
  receipt_id text not null,
  state text not null,
  code text not null,
  reason text not null,
  claimed_at bigint not null,
  at bigint not null,
  primary key (account, key_index)
);
create index connector_sends_by_receipt on connector_sends (account, receipt_id);
create index connector_sends_by_time on connector_sends (claimed_at);

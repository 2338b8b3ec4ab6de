-- What the company says of kinds of identity beyond what the program knows.
-- `most` is how many of a kind one contact may carry; 0 is any number.
create table identity_rules (
  kind text not null primary key,
  most bigint not null,
  updated_at bigint not null,
  by_id text not null default '',
  by_name text not null default ''
);

-- Values that identify nobody because the company says so. `whole` is 1 for an
-- e-mail domain with all below it. `lookup` and `value_enc` are as in identities.
-- A value counts for facts beyond `since` and, once removed, up to `until`: facts
-- that are resolved again meet what they met the first time.
create table identity_blocked (
  id text not null primary key,
  kind text not null,
  whole bigint not null,
  lookup text not null,
  value_enc text not null default '',
  note text not null default '',
  since_seq bigint not null,
  since_idx bigint not null,
  until_seq bigint not null default 0,
  until_idx bigint not null default 0,
  created_at bigint not null,
  by_id text not null default '',
  by_name text not null default '',
  removed_at bigint not null default 0,
  searched_at bigint not null default 0
);
create unique index identity_blocked_by_value on identity_blocked (kind, whole, lookup) where removed_at = 0;
create index identity_blocked_by_time on identity_blocked (created_at, id) where removed_at = 0;

-- Who carried an address of a blocked domain when it was blocked.
create table identity_carriers (
  blocked text not null,
  contact bigint not null,
  primary key (blocked, contact)
);
create index identity_carriers_by_contact on identity_carriers (contact);

-- A conflict keeps its value sealed, where nobody else has it. Both lists are read newest first.
alter table identity_conflicts add column value_enc text not null default '';
create index identity_conflicts_by_last on identity_conflicts (last_at, kind, lookup, contact);
create index identity_refusals_by_last on identity_refusals (last_at, kind, reason, value);

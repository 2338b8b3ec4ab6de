-- Tags that are given by themselves. `spec` is what is wanted (version), `active`
-- what serves (active_version) of scores, whose sums lie under the number `sums`
-- and hold the facts up to (from_seq, from_idx). `recount`: they are to be added
-- up anew. `ending`: it is none any more, and what it gave is being taken.
create table tag_automations (
  tag text not null primary key,
  kind text not null,
  spec text not null,
  version bigint not null,
  active text not null default '',
  active_version bigint not null default 0,
  sums bigint not null default 0,
  from_seq bigint not null default 0,
  from_idx bigint not null default 0,
  recount bigint not null default 0,
  ending bigint not null default 0,
  fault text not null default '',
  created_at bigint not null,
  changed_at bigint not null,
  by_id text not null,
  by_name text not null
);

-- What contacts' facts add up to. `own` is the sum of the facts that are stored
-- under the number, as it was at own_at; `value` that of everybody who is part of
-- it, as it was at `at`. `one_at` is when value will have faded to one, which is
-- the same whenever it is asked: a score is at least x at a time t when one_at is
-- at least t plus log2(x) half-lives. `ends_at`: the contact has the tag until
-- then; 0: it has not.
create table tag_scores (
  sums bigint not null,
  contact bigint not null,
  own double precision not null,
  own_at bigint not null,
  value double precision not null,
  at bigint not null,
  one_at bigint not null,
  ends_at bigint not null,
  primary key (sums, contact)
-- +sqlite
) without rowid;
-- +end
-- +postgres
);
-- +end
create index tag_scores_by_one on tag_scores (sums, one_at);
create index tag_scores_by_end on tag_scores (ends_at) where ends_at > 0;

-- Contacts from whom somebody took an automatic tag by hand: it stays off.
create table tag_exceptions (
  tag text not null,
  contact bigint not null,
  at bigint not null,
  by_id text not null,
  by_name text not null,
  primary key (tag, contact)
);
create index tag_exceptions_by_contact on tag_exceptions (contact);

-- Contacts who would have a tag but for another of its exclusive group. `again`:
-- the other is gone, and it is to be looked at anew.
create table tag_losses (
  tag text not null,
  contact bigint not null,
  winner text not null,
  winner_source text not null,
  source text not null,
  at bigint not null,
  again bigint not null default 0,
  primary key (tag, contact)
);
create index tag_losses_by_winner on tag_losses (winner, contact);
create index tag_losses_again on tag_losses (tag) where again = 1;
create index tag_losses_by_contact on tag_losses (contact);

-- What tags weigh that other modules gave.
create table tag_model_weights (
  tag text not null,
  contact bigint not null,
  model text not null,
  weight double precision not null,
  at bigint not null,
  primary key (tag, contact)
);
create index tag_model_weights_by_contact on tag_model_weights (contact);

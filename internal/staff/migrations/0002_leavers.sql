-- Groups whose owner left, as the platform lists them: they wait for another owner.
-- seen is the look that last found them.
create table staff_groups (
  account text not null,
  id text not null,
  owner text not null,
  name text not null,
  members bigint not null,
  made_at bigint not null,
  seen bigint not null,
  primary key (account, id)
);
create index staff_groups_by_owner on staff_groups (account, owner);
-- What becomes of each group of a hand-over; asked is one whose answer may be lost.
create table staff_handed_groups (
  handover text not null,
  chat text not null,
  name text not null,
  state text not null,
  why text not null,
  at bigint not null,
  primary key (handover, chat)
);
create index staff_handed_groups_by_chat on staff_handed_groups (chat, state);
-- plan joins hand-overs that were asked for together, one for each successor.
alter table staff_handovers add column plan text not null default '';
create index staff_handovers_by_plan on staff_handovers (plan);
create index staff_handovers_by_from on staff_handovers (account, from_staff, state);
-- The day, by the company's clock, of the last sync that began by itself.
alter table staff_accounts add column night text not null default '';

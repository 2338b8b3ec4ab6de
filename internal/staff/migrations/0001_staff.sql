-- Colleagues as a platform knows them, one row for each account. mobile and email
-- are sealed. user_id is the user of the console they are ('' nobody), linked how:
-- '' never, auto by e-mail, hand. friends counts their customers of today. seen is
-- the sync that last found them.
create table staff_members (
  account text not null,
  id text not null,
  name text not null,
  avatar text not null,
  position text not null,
  mobile_enc text not null,
  email_enc text not null,
  departments text not null,
  state text not null,
  serves bigint not null,
  user_id text not null,
  linked text not null,
  friends bigint not null,
  left_at bigint not null,
  seen bigint not null,
  changed_at bigint not null,
  primary key (account, id)
);
create index staff_members_by_user on staff_members (user_id);
create table staff_departments (
  account text not null,
  id bigint not null,
  parent bigint not null,
  name text not null,
  position bigint not null,
  primary key (account, id)
);
-- Who is whose friend. contact is the number that the customer's identity came to.
-- state: friend, deleted (by the customer), removed (by the colleague), moved (to
-- another colleague). changed_at is when state last changed, by the platform's
-- clock, known_at when the rest was true. print tells whether what a sync finds is
-- news. remark and note are sealed: colleagues write names and numbers into them.
create table staff_friends (
  account text not null,
  staff text not null,
  customer text not null,
  contact bigint not null,
  remark_enc text not null,
  note_enc text not null,
  way bigint not null,
  source text not null,
  state text not null,
  moved_to text not null,
  since bigint not null,
  ended_at bigint not null,
  changed_at bigint not null,
  known_at bigint not null,
  seen bigint not null,
  print text not null,
  primary key (account, staff, customer)
);
create index staff_friends_by_contact on staff_friends (contact);
create index staff_friends_by_customer on staff_friends (account, customer);
create index staff_friends_by_since on staff_friends (account, staff, state, since);
create index staff_friends_added on staff_friends (since, account, staff);
create index staff_friends_ended on staff_friends (state, ended_at, account, staff);
-- A hand-over: customers of one colleague that go to another. message is what the
-- customers read, sealed.
create table staff_handovers (
  id text not null primary key,
  account text not null,
  from_staff text not null,
  to_staff text not null,
  gone bigint not null,
  message_enc text not null,
  state text not null,
  total bigint not null,
  by_id text not null,
  by_name text not null,
  created_at bigint not null,
  checked_at bigint not null,
  ended_at bigint not null
);
create index staff_handovers_by_time on staff_handovers (created_at, id);
create index staff_handovers_open on staff_handovers (state, checked_at);
-- What becomes of each customer: waiting to be asked for (new), asked, done,
-- refused, full, failed. why is a code of the catalogue.
create table staff_handed (
  handover text not null,
  customer text not null,
  contact bigint not null,
  state text not null,
  why text not null,
  at bigint not null,
  primary key (handover, customer)
);
create index staff_handed_by_state on staff_handed (handover, state, customer);
create index staff_handed_by_customer on staff_handed (customer, at);
-- When an account was last synced as a whole.
create table staff_accounts (
  account text not null primary key,
  synced_at bigint not null,
  job text not null,
  fault text not null
);

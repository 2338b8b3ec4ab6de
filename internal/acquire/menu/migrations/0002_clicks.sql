-- Taps on buttons, from the facts, each once. button is a short digest of what the
-- platform says of it; menu_targets has that in full. day is the company's, as yyyymmdd.
create table menu_clicks (
  message text not null primary key,
  account text not null,
  button text not null,
  person text not null,
  contact bigint not null,
  at bigint not null,
  day bigint not null
);
create index menu_clicks_by_day on menu_clicks (account, day, button, person);
create index menu_clicks_by_contact on menu_clicks (contact);
create table menu_targets (
  account text not null,
  button text not null,
  property text not null,
  value text not null,
  primary key (account, button)
);

-- What is known about the installation itself: the last backup, how far the demo is.
create table app_state (name text not null primary key, value text not null, at bigint not null);

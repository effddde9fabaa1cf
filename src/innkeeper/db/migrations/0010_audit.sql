-- Who asked for a change, with what and from where, and what came of it.

-- ``outcome`` null: under way, or broken off in the middle. Lines of before hold what was done.
alter table audit add column outcome text;
alter table audit add column token_id text;
alter table audit add column client text;
update audit set outcome = 'done';

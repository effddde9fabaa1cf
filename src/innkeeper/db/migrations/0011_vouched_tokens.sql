-- Tokens that somebody has made for somebody else.

-- Who did so: null where the person whose token it is made it. Such a token, and each that is made with it, speaks for
-- its person in its own organisation alone.
alter table org_tokens add column vouched_by text;

-- Begins an incarnation of an instance.
--
-- KEYS[1]  leases: sorted set, incarnation → milliseconds of Redis' clock at which its lease ends
-- KEYS[2]  reaped: sorted set, incarnation → milliseconds at which it was reaped
-- ARGV[1]  the new incarnation
-- ARGV[2]  lease in milliseconds
-- ARGV[3]  the incarnation before it, or empty: ended now, so that whatever it still has is reaped
-- ARGV[4]  key prefix
-- Returns  1

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[3] ~= '' and redis.call('EXISTS', ARGV[4] .. 'instance:' .. ARGV[3]) == 1 then
  redis.call('ZADD', KEYS[1], 0, ARGV[3])
end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
-- An instance that was frozen for an hour learns that it is unknown rather than that it was reaped.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 3600000)
return 1

<?php
// One PHP process with fibers and stream_select, no library: one fiber a connection, one a call.
// The calls of a request are made at once; connections to the origin are kept open in a pool.

declare(strict_types=1);

require __DIR__ . '/origin.php';

/** What a fiber waits for: the stream's number to the stream and the fiber. */
$streams = [];
$fibers = [];
$pool = [];
$origin = 'tcp://' . substr(getenv('LAB_ORIGIN'), strlen('http://'));

/** @param resource $stream */
function readable($stream): void
{
    global $streams, $fibers;
    $streams[(int) $stream] = $stream;
    $fibers[(int) $stream] = Fiber::getCurrent();
    Fiber::suspend();
}

function call(string $path): int
{
    global $pool, $origin;
    $stream = array_pop($pool) ?? @stream_socket_client($origin, $code, $message, 10);
    if ($stream === false) {
        throw new RuntimeException("the origin cannot be reached: $message");
    }
    stream_set_blocking($stream, false);
    $size = get($stream, $path, readable(...));
    $pool[] = $stream;
    return $size;
}

/** Runs the calls at once, each in a fiber, and suspends until the last has ended; -1: one failed. */
function gather(int $calls, string $path): int
{
    $total = 0;
    $failed = false;
    $left = $calls;
    $parent = Fiber::getCurrent();
    for ($i = 0; $i < $calls; $i++) {
        (new Fiber(static function () use (&$total, &$left, &$failed, $parent, $path): void {
            try {
                $total += call($path);
            } catch (RuntimeException) {
                $failed = true;
            }
            if (--$left === 0 && $parent->isSuspended()) {
                $parent->resume();
            }
        }))->start();
    }
    if ($left > 0) {
        Fiber::suspend();
    }
    return $failed ? -1 : $total;
}

/** @param resource $stream */
function serve($stream): void
{
    $request = '';
    while (true) {
        while (!str_contains($request, "\r\n\r\n")) {
            readable($stream);
            $chunk = fread($stream, 65536);
            if ($chunk === false || ($chunk === '' && feof($stream))) {
                fclose($stream);
                return;
            }
            $request .= $chunk;
        }
        [$head, $request] = explode("\r\n\r\n", $request, 2);
        parse_str((string) parse_url(explode(' ', $head, 3)[1], PHP_URL_QUERY), $query);
        $calls = (int) $query['calls'];
        $bytes = gather($calls, '/anything?latency_ms=' . (float) $query['latency_ms']);
        $status = $bytes < 0 ? '502 Bad Gateway' : '200 OK';
        $body = json_encode(['calls' => $calls, 'bytes' => $bytes]);
        $head = "HTTP/1.1 $status\r\nContent-Type: application/json\r\nContent-Length: " . strlen($body);
        fwrite($stream, "$head\r\n\r\n$body");
    }
}

$context = stream_context_create(['socket' => ['backlog' => 1024, 'tcp_nodelay' => true]]);
$flags = STREAM_SERVER_BIND | STREAM_SERVER_LISTEN;
$server = stream_socket_server("tcp://127.0.0.1:$argv[1]", $code, $message, $flags, $context);
while (true) {
    $ready = [...$streams, $server];
    $write = $except = null;
    stream_select($ready, $write, $except, null);
    foreach ($ready as $stream) {
        if ($stream === $server) {
            $client = stream_socket_accept($server);
            stream_set_blocking($client, false);
            (new Fiber(serve(...)))->start($client);
            continue;
        }
        $fiber = $fibers[(int) $stream];
        unset($streams[(int) $stream], $fibers[(int) $stream]);
        $fiber->resume();
    }
}

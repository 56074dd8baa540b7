<?php
// Swoole: coroutines in C, one worker; the calls of a request at once, connections kept open.
// Ends with `swoole not found` where PHP has not got the extension.

declare(strict_types=1);

if (!extension_loaded('swoole')) {
    fwrite(STDERR, "swoole not found\n");
    exit(69);
}

use Swoole\Coroutine\Http\Client;
use Swoole\Http\Request;
use Swoole\Http\Response;
use Swoole\Http\Server;
use function Swoole\Coroutine\batch;

$origin = parse_url(getenv('LAB_ORIGIN'));
$pool = [];
$call = static function (string $path) use ($origin, &$pool): int {
    $client = array_pop($pool) ?? new Client($origin['host'], $origin['port']);
    $client->set(['timeout' => 10, 'keep_alive' => true]);
    $client->get($path);
    if ($client->statusCode !== 200) {
        throw new RuntimeException('the origin failed');
    }
    $size = strlen($client->body);
    $pool[] = $client;
    return $size;
};

$server = new Server('127.0.0.1', (int) $argv[1], SWOOLE_BASE);
$server->set(['worker_num' => 1, 'log_level' => SWOOLE_LOG_ERROR, 'backlog' => 1024]);
$server->on('request', static function (Request $request, Response $response) use ($call): void {
    $calls = (int) $request->get['calls'];
    $path = '/anything?latency_ms=' . (float) $request->get['latency_ms'];
    $sizes = $calls > 0 ? batch(array_fill(0, $calls, static fn() => $call($path))) : [];
    $response->header('Content-Type', 'application/json');
    $response->end(json_encode(['calls' => $calls, 'bytes' => array_sum($sizes)]));
});
$server->start();

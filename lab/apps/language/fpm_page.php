<?php
// PHP-FPM: the calls of a request one after another, in a worker that does nothing else.
// The worker keeps its connection to the origin open from one request to the next.

declare(strict_types=1);

require __DIR__ . '/origin.php';

$origin = parse_url(getenv('LAB_ORIGIN'));
$calls = (int) $_GET['calls'];
$path = '/anything?latency_ms=' . (float) $_GET['latency_ms'];
$total = 0;
try {
    for ($i = 0; $i < $calls; $i++) {
        $stream = pfsockopen($origin['host'], $origin['port'], $code, $message, 10);
        $total += get($stream, $path, static fn() => null);
    }
    header('Content-Type: application/json');
    echo json_encode(['calls' => $calls, 'bytes' => $total]);
} catch (RuntimeException $error) {
    http_response_code(502);
    if (is_resource($stream)) {
        fclose($stream);
    }
}

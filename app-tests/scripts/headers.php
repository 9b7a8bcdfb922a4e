<?php

// What a script says of its response.

switch ($_GET['case']) {
    case 'redirect':
        header('Location: /folder/');
        exit('gone there');
    case 'created':
        header('Location: /thing/5', true, 201);
        break;
    case 'status':
        header('HTTP/1.1 410 Away');
        echo 'away';
        break;
    case 'cookies':
        setcookie('a', '1', ['httponly' => true, 'samesite' => 'Lax', 'path' => '/']);
        setcookie('b', 'two words');
        setrawcookie('c', 'raw', time() + 1000);
        setcookie('d');
        break;
    case 'several':
        header('X-A: 1');
        header('X-A: 2', false);
        header('X-B: 1');
        header('X-B: 2');
        header('X-C: 1');
        header_remove('X-C');
        header_remove('X-Powered-By');
        echo json_encode(headers_list());
        break;
    case 'type':
        header('Content-Type: text/plain; charset=iso-8859-1');
        echo "\xe4";
        break;
    case 'empty':
        http_response_code(204);
        break;
    case 'callback':
        header_register_callback(fn () => header('X-Last: ' . http_response_code()));
        echo 'called back';
        break;
    case 'late':
        echo 'sent';
        flush();
        ob_end_flush();
        flush();
        echo headers_sent() ? ' headers are sent' : ' headers are not sent';
        header('X-Late: 1');
        break;
    case 'not modified':
        header('ETag: "5"');
        http_response_code(($_SERVER['HTTP_IF_NONE_MATCH'] ?? '') === '"5"' ? 304 : 200);
        echo 'content';
        break;
    case 'length':
        header('Content-Length: 5');
        echo '12345';
        break;
    case 'auth':
        if (($_SERVER['PHP_AUTH_USER'] ?? '') !== 'joe' || $_SERVER['PHP_AUTH_PW'] !== 'secret: word') {
            header('WWW-Authenticate: Basic realm="tests"');
            http_response_code(401);
            exit('who are you?');
        }
        echo "hello {$_SERVER['PHP_AUTH_USER']}, also $_SERVER[REMOTE_USER] by $_SERVER[AUTH_TYPE]";
        break;
    case 'status field':
        header('Status: 404 Not Found');
        echo 'as a field of CGI';
        break;
    case 'odd':
        header('HTTP/1.1 299 Quite Odd');
        echo 'odd';
        break;
    case 'code':
        header('X-A: 1', true, 503);
        header('Retry-After: 5');
        break;
    case 'hop':
        header('Connection: close');
        header('Keep-Alive: timeout=5');
        echo 'hop by hop';
        break;
    case 'gzip':
        ini_set('zlib.output_compression', '1');
        echo str_repeat('compressed ', 1000);
        break;
    case 'handler':
        ob_start(ob_gzhandler(...));
        echo str_repeat('compressed ', 1000);
        break;
    case 'injected':
        header("X-A: 1\r\nX-B: 2");
        echo json_encode(headers_list());
        break;
    case 'utf-8':
        header('X-Name: ä');
        break;
    case 'no type':
        header('Content-Type:');
        echo 'no type';
        break;
    case 'digest':
        echo $_SERVER['PHP_AUTH_DIGEST'] ?? 'no digest';
        break;
}

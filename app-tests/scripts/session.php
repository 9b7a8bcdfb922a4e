<?php

// A session: counts, flashes, logs in and out.

session_start();
switch ($_GET['do'] ?? '') {
    case 'login':
        session_regenerate_id(true);
        $_SESSION = ['user' => $_POST['user'], 'count' => 0];
        setcookie('user', $_POST['user']);
        break;
    case 'logout':
        session_destroy();
        $_SESSION = [];
        setcookie(session_name(), '', 1);
        break;
    case 'large':
        $_SESSION['large'] = str_repeat('x', 100_000);
        break;
}
$_SESSION['count'] = ($_SESSION['count'] ?? 0) + 1;
echo json_encode([$_SESSION['user'] ?? null, $_SESSION['count'], strlen($_SESSION['large'] ?? '')]), "\n";

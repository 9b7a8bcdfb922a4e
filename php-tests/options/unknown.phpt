--TEST--
An unknown option is an exception that names the nearest known one
--FILE--
<?php
$server = new Ferrite\Http\Server('127.0.0.1', 0);
foreach (['woker_num', 'Worker_Num', 'max_conection', 'frobnicate', '', 7] as $key) {
    try {
        $server->set([$key => 1]);
    } catch (ValueError $error) {
        echo $error->getMessage(), "\n";
    }
}
var_dump($server->setting);
?>
--EXPECT--
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Unknown option 'woker_num', did you mean 'worker_num'?
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Unknown option 'Worker_Num', did you mean 'worker_num'?
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Unknown option 'max_conection', did you mean 'max_connection'?
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Unknown option 'frobnicate'
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Unknown option ''
Ferrite\Http\Server::set(): Argument #1 ($settings) is not valid: Unknown option '7'
array(0) {
}

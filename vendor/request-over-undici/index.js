// The bot SDK imports this name. Its calls are given to undici by setRequestFn; a call that comes here forgot that.
module.exports = () => { throw new Error('request is not part of Zentrale: call setRequestFn before making a Matrix client') }
